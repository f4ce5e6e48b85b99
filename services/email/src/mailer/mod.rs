//! Mail over SMTP.

mod connections;
mod reply;
mod server;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lettre::Message;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument, Span, info_span};
use url::Url;

use self::connections::Connections;
use self::reply::{Failure, Step};
use self::server::Server;
use crate::email::Email;

pub(crate) use self::reply::SendMailError;

const FROM: &str = "OrderFlow <orders@example.com>";
/// Connections to the mail server at once: servers turn away who opens many.
const LINES: usize = 16;
/// The longest that sending a mail takes, from the connection to the last reply. Servers that read what they take need
/// some time for it; whom we leave before they have answered may have taken the mail, and gets it again.
pub(crate) const SENT_WITHIN: Duration = Duration::from_secs(45);

/// Sends mail through one server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer {
    connections: Arc<Connections>,
    lines: Arc<Semaphore>,
}

/// The right to send one mail now.
///
/// It is taken before a mail is claimed: the claim would run out while one waits for others.
#[derive(Debug)]
pub(crate) struct Line {
    mailer: Mailer,
    _permit: OwnedSemaphorePermit,
}

impl Mailer {
    /// `url` is `smtp://[user:password@]host[:port]`, or `smtps://` for TLS. It connects when it is needed.
    pub(crate) fn new(url: &Url) -> anyhow::Result<Self> {
        let server = Server::at(url).context("SMTP_URL")?;
        Ok(Self {
            connections: Arc::new(Connections::new(server)),
            lines: Arc::new(Semaphore::new(LINES)),
        })
    }

    /// Whether the server answers now, and lets us in.
    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        let connected = self.connections.get().await;
        let connection = connected.map_err(|error| Step::Connection.failed(&error))?;
        self.connections.keep(connection);
        Ok(())
    }

    /// Waits until fewer than [`LINES`] mails are being sent.
    pub(crate) async fn line(&self) -> Line {
        let permit = self.lines.clone().acquire_owned().await;
        Line {
            mailer: self.clone(),
            _permit: permit.expect("nobody closes it"),
        }
    }

    async fn transmit(&self, message: &Message) -> Result<(), SendMailError> {
        let connection = self.connections.get().await;
        let mut connection = connection.map_err(|error| Step::Connection.failed(&error))?;
        let sent = converse(&mut connection, message).await;
        // Also after a refusal: what was begun is ended before the next mail.
        if !matches!(sent, Err(SendMailError::Unavailable(_))) {
            self.connections.keep(connection);
        }
        sent
    }

    /// SMTP has no semantic convention: a CLIENT span with the general attributes of one, and no address in it.
    fn span(&self) -> Span {
        let server = self.connections.server();
        info_span!(
            "send mail",
            otel.kind = "client",
            network.protocol.name = "smtp",
            server.address = server.host,
            server.port = i64::from(server.port),
        )
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.connections.server();
        write!(f, "Mailer({}:{})", server.host, server.port)
    }
}

impl Line {
    /// Returns when the server has the mail.
    pub(crate) async fn send(self, email: &Email) -> Result<(), SendMailError> {
        let message = message(email).map_err(|error| {
            SendMailError::Refused(Failure::new("smtp_format", format!("{error:#}")))
        })?;
        let span = self.mailer.span();
        let transmit = self.mailer.transmit(&message).instrument(span.clone());
        let sent = tokio::time::timeout(SENT_WITHIN, transmit).await;
        let sent = sent.unwrap_or_else(|_elapsed| Err(too_slow()));
        if let Err(error) = &sent {
            let error_type = error.failure().error_type();
            telemetry::fail(&span, error_type, &error.to_string());
        }
        sent
    }
}

fn too_slow() -> SendMailError {
    let reason = format!("it took longer than {SENT_WITHIN:?}");
    SendMailError::Unavailable(Failure::new("timeout", reason))
}

/// Command by command, because what a refusal means depends on what was refused.
///
/// The message needs no extension of SMTP: addresses are ASCII, and lettre encodes what else is not.
async fn converse(
    connection: &mut AsyncSmtpConnection,
    message: &Message,
) -> Result<(), SendMailError> {
    let envelope = message.envelope();
    let sender = Mail::new(envelope.from().cloned(), Vec::new());
    let sender = connection.command(sender).await;
    sender.map_err(|error| Step::Sender.failed(&error))?;
    for to in envelope.to() {
        let recipient = connection.command(Rcpt::new(to.clone(), Vec::new())).await;
        recipient.map_err(|error| Step::Recipient.failed(&error))?;
    }
    let data = connection.command(Data).await;
    data.map_err(|error| Step::Message.failed(&error))?;
    let taken = connection.message(&message.formatted()).await;
    taken.map_err(|error| Step::Message.failed(&error))?;
    Ok(())
}

/// Which order a mail is about, for programs that read mail.
#[derive(Clone)]
struct XOrderId(String);

impl Header for XOrderId {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Order-Id")
    }

    fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(value.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

fn message(email: &Email) -> anyhow::Result<Message> {
    let message = Message::builder()
        .from(FROM.parse()?)
        .to(email.recipient.parse()?)
        .subject(&email.subject)
        .message_id(Some(email.message_id()))
        .header(XOrderId(email.order_id.to_string()))
        .header(ContentType::TEXT_PLAIN)
        .body(email.body.clone())?;
    Ok(message)
}
