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
use tokio::time::{Instant, timeout, timeout_at};
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
/// The longest from the claim of a mail until its server is ready to take it. Whoever was frozen on the way stops here,
/// where the server has nothing yet.
const BEGUN_WITHIN: Duration = Duration::from_secs(20);
/// The longest that the server may take with the mail itself. Servers that read what they take need some time for it; whom
/// we leave before they have answered may have taken the mail, and gets it again.
const TAKEN_WITHIN: Duration = Duration::from_secs(25);
/// The longest that sending a mail takes, from its claim to the last reply.
pub(crate) const SENT_WITHIN: Duration = BEGUN_WITHIN.saturating_add(TAKEN_WITHIN);

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

    async fn transmit(&self, message: &Message, claimed: Instant) -> Result<(), SendMailError> {
        let begun = timeout_at(claimed + BEGUN_WITHIN, self.begin(message));
        let mut connection = begun.await.unwrap_or_else(|_| Err(slow(BEGUN_WITHIN)))?;
        let formatted = message.formatted();
        let take = timeout(TAKEN_WITHIN, connection.message(&formatted)).await;
        let error = match take {
            Ok(Ok(_taken)) => {
                self.connections.keep(connection);
                return Ok(());
            }
            Ok(Err(error)) => Step::Message.failed(&error),
            Err(_elapsed) => slow(TAKEN_WITHIN),
        };
        self.keep_after(connection, &error);
        Err(error)
    }

    /// A connection to a server that waits for the mail itself.
    async fn begin(&self, message: &Message) -> Result<AsyncSmtpConnection, SendMailError> {
        let connection = self.connections.get().await;
        let mut connection = connection.map_err(|error| Step::Connection.failed(&error))?;
        if let Err(error) = announce(&mut connection, message).await {
            self.keep_after(connection, &error);
            return Err(error);
        }
        Ok(connection)
    }

    /// Also after a refusal: what was begun is ended before the next mail.
    fn keep_after(&self, connection: AsyncSmtpConnection, error: &SendMailError) {
        if !matches!(error, SendMailError::Unavailable(_)) {
            self.connections.keep(connection);
        }
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
    /// Returns when the server has the mail, which was claimed then.
    pub(crate) async fn send(self, email: &Email, claimed: Instant) -> Result<(), SendMailError> {
        let message = message(email).map_err(|error| {
            SendMailError::Refused(Failure::new("smtp_format", format!("{error:#}")))
        })?;
        let span = self.mailer.span();
        let transmit = self.mailer.transmit(&message, claimed);
        let sent = transmit.instrument(span.clone()).await;
        if let Err(error) = &sent {
            let error_type = error.failure().error_type();
            telemetry::fail(&span, error_type, &error.to_string());
        }
        sent
    }
}

fn slow(limit: Duration) -> SendMailError {
    let reason = format!("it took longer than {limit:?}");
    SendMailError::Unavailable(Failure::new("timeout", reason))
}

/// Everything before the mail itself, command by command: what a refusal means depends on what was refused.
///
/// The message needs no extension of SMTP: addresses are ASCII, and lettre encodes what else is not.
async fn announce(
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
    data.map(drop).map_err(|error| Step::Message.failed(&error))
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
