//! A mail server that takes no mail: it answers each recipient as it is told.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) struct StrictSmtp {
    pub(crate) url: String,
    recipients: Arc<Mutex<Vec<String>>>,
    /// Aborted when dropped.
    _server: JoinSet<()>,
}

impl StrictSmtp {
    /// `reply` is what each recipient is answered with: `550 no such user`.
    pub(crate) async fn start(reply: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let recipients = Arc::<Mutex<Vec<String>>>::default();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, reply, recipients.clone()));
        Self {
            url,
            recipients,
            _server: server,
        }
    }

    /// The recipients that it was asked about.
    pub(crate) fn recipients(&self) -> Vec<String> {
        self.recipients.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, reply: &'static str, recipients: Arc<Mutex<Vec<String>>>) {
    let mut sessions = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        sessions.spawn(talk(stream, reply, recipients.clone()));
    }
}

/// Ends when the client hangs up.
async fn talk(stream: TcpStream, reply: &'static str, recipients: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    let mut answer = "220 ready";
    loop {
        let written = stream.write_all(format!("{answer}\r\n").as_bytes()).await;
        let mut command = String::new();
        let read = stream.read_line(&mut command).await;
        if written.is_err() || !matches!(read, Ok(1..)) {
            return;
        }
        answer = "250 fine";
        if let Some(recipient) = command.strip_prefix("RCPT TO:") {
            let recipient = recipient.trim().to_owned();
            recipients.lock().unwrap().push(recipient);
            answer = reply;
        }
    }
}
