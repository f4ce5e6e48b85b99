//! A mail server that takes its time: it stands before another one, and each connection waits first.

use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) struct SlowSmtp {
    pub(crate) url: String,
    /// Aborted when dropped.
    _server: JoinSet<()>,
}

impl SlowSmtp {
    /// `behind` is the `host:port` of a mail server. The service opens a connection per mail.
    pub(crate) async fn start(behind: String, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut sessions = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                sessions.spawn(pass_on(client, behind.clone(), delay));
            }
        });
        Self {
            url,
            _server: server,
        }
    }
}

/// Ends when one of both hangs up.
async fn pass_on(mut client: TcpStream, behind: String, delay: Duration) {
    tokio::time::sleep(delay).await;
    let mut server = TcpStream::connect(behind).await.unwrap();
    copy_bidirectional(&mut client, &mut server).await.ok();
}
