//! A server that says the same to everybody, until it is frozen: then it takes what it is sent and says nothing.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    frozen: watch::Sender<bool>,
    _serving: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(json: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (frozen, is_frozen) = watch::channel(false);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, json, is_frozen.clone()));
            }
        });
        Self {
            address,
            frozen,
            _serving: serving,
        }
    }

    pub(crate) fn freeze(&self, frozen: bool) {
        self.frozen.send_replace(frozen);
    }
}

/// Until the caller has gone.
async fn serve(stream: TcpStream, json: &str, mut frozen: watch::Receiver<bool>) {
    let mut stream = BufReader::new(stream);
    while take(&mut stream).await.is_ok() {
        frozen.wait_for(|frozen| !frozen).await.unwrap();
        let length = json.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{json}");
        stream.write_all(answer.as_bytes()).await.ok();
    }
}

/// Reads one request.
async fn take(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(bytes) = line.strip_prefix("content-length:") {
            length = bytes.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length]).await.map(drop)
}
