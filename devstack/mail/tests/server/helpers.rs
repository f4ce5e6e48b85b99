//! Starts the server on free ports and speaks to it.

use std::net::SocketAddr;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport as _, Message, Tokio1Executor};
use mail::Listeners;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) struct Server {
    pub(crate) smtp: SocketAddr,
    pub(crate) http: SocketAddr,
    client: reqwest::Client,
    shutdown: CancellationToken,
    task: JoinSet<anyhow::Result<()>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(faults: &[&str]) -> Self {
        let faults = faults.iter().map(|fault| fault.parse().expect("a fault"));
        let faults = faults.collect();
        let smtp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let http = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addresses = (
            smtp.local_addr().expect("an address"),
            http.local_addr().expect("an address"),
        );
        let shutdown = CancellationToken::new();
        let mut task = JoinSet::new();
        let listeners = Listeners { smtp, http };
        task.spawn(mail::serve_with_faults(listeners, faults, shutdown.clone()));
        Self {
            smtp: addresses.0,
            http: addresses.1,
            client: reqwest::Client::builder().build().expect("a client"),
            shutdown,
            task,
        }
    }

    pub(crate) fn tell_to_stop(&self) {
        self.shutdown.cancel();
    }

    pub(crate) async fn stopped(mut self) -> anyhow::Result<()> {
        self.task
            .join_next()
            .await
            .expect("one task")
            .expect("no panic")
    }

    pub(crate) fn mailer(&self) -> AsyncSmtpTransport<Tokio1Executor> {
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
            .port(self.smtp.port())
            .build()
    }

    pub(crate) async fn send(&self, message: Message) {
        self.mailer()
            .send(message)
            .await
            .expect("the message is taken");
    }

    pub(crate) async fn request(&self, method: Method, path: &str) -> Response {
        let url = format!("http://{}{path}", self.http);
        self.client
            .request(method, url)
            .send()
            .await
            .expect("an answer")
    }

    /// Switches faults on while the server runs.
    pub(crate) async fn put_faults(&self, body: &Value) -> Response {
        let url = format!("http://{}/faults", self.http);
        let request = self
            .client
            .put(url)
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await;
        answer.expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).await
    }

    pub(crate) async fn emails(&self, query: &str) -> Vec<Value> {
        let response = self.get(&format!("/email{query}")).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.expect("a list")
    }

    /// A client that says what it likes, whether or not it is SMTP.
    pub(crate) async fn raw(&self) -> Raw {
        let stream = TcpStream::connect(self.smtp).await.expect("a connection");
        let mut raw = Raw { stream };
        assert!(raw.line().await.starts_with("220 "));
        raw
    }
}

pub(crate) struct Raw {
    stream: TcpStream,
}

impl Raw {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .await
            .expect("the server reads");
    }

    /// The next line without its line end, or what there is of it when the connection ends.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while let Ok(byte) = self.stream.read_u8().await {
            match byte {
                b'\n' => break,
                b'\r' => {}
                byte => line.push(byte),
            }
        }
        String::from_utf8(line).expect("replies are text")
    }

    pub(crate) async fn say(&mut self, command: &str) -> String {
        self.write(format!("{command}\r\n").as_bytes()).await;
        self.line().await
    }
}

pub(crate) fn order_mail(order: &str, subject: &str) -> Message {
    Message::builder()
        .from(Mailbox::new(
            Some("OrderFlow".into()),
            "orders@example.com".parse().expect("an address"),
        ))
        .to("ann@example.com".parse().expect("an address"))
        .subject(subject)
        .raw_header(lettre::message::header::HeaderValue::new(
            lettre::message::header::HeaderName::new_from_ascii_str("X-Order-Id"),
            order.into(),
        ))
        .multipart(MultiPart::alternative_plain_html(
            format!("Your order {order} is confirmed.\n.\nThank you."),
            format!("<p>Your order <b>{order}</b> is confirmed.</p>"),
        ))
        .expect("a message")
}
