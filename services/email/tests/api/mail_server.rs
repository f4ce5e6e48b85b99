//! A mail server of the test's own, which can be away, and everybody's mailbox.

use std::net::SocketAddr;

use mail::Listeners;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) struct MailServer {
    smtp: SocketAddr,
    http: SocketAddr,
    running: Running,
}

/// Aborted when dropped.
struct Running {
    shutdown: CancellationToken,
    server: JoinSet<anyhow::Result<()>>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listeners = Listeners {
            smtp: TcpListener::bind(any).await.unwrap(),
            http: TcpListener::bind(any).await.unwrap(),
        };
        Self {
            smtp: listeners.smtp.local_addr().unwrap(),
            http: listeners.http.local_addr().unwrap(),
            running: serve(listeners),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.smtp)
    }

    /// Ends it; what was in it is lost.
    pub(crate) async fn stop(&mut self) {
        self.running.shutdown.cancel();
        let ended = self.running.server.join_next().await.unwrap();
        ended.unwrap().unwrap();
    }

    /// Begins anew, where it was.
    pub(crate) async fn restart(&mut self) {
        self.running = serve(Listeners {
            smtp: TcpListener::bind(self.smtp).await.unwrap(),
            http: TcpListener::bind(self.http).await.unwrap(),
        });
    }

    /// All mails, oldest first.
    pub(crate) async fn mails(&self) -> Vec<Value> {
        let client = reqwest::Client::builder().build().unwrap();
        let url = format!("http://{}/email", self.http);
        client.get(url).send().await.unwrap().json().await.unwrap()
    }
}

fn serve(listeners: Listeners) -> Running {
    let shutdown = CancellationToken::new();
    let mut server = JoinSet::new();
    server.spawn(mail::serve(listeners, shutdown.clone()));
    Running { shutdown, server }
}
