//! Mail over SMTP.

use std::time::Duration;

use anyhow::{Context, anyhow};
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tracing::{Instrument, Span, info_span};
use url::Url;

use crate::emails::Email;

const FROM: &str = "OrderFlow <orders@example.com>";
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends mail through one server. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
    port: Option<u16>,
}

/// What can be done about a mail that was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendMailError {
    /// The server refuses this mail for good (a 5xx reply), or it cannot be written.
    #[error("the mail is refused: {0}")]
    Refused(String),
    /// The server puts this mail off (a 4xx reply), and may take others.
    #[error("the mail is put off: {0}")]
    PutOff(String),
    /// The server takes no mail of ours: it is away or busy, or does not let us in.
    #[error("the mail server failed: {0}")]
    Unavailable(String),
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

impl Mailer {
    /// `url` is `smtp://[user:password@]host[:port]`, or `smtps://` for TLS.
    pub(crate) fn new(url: &Url) -> anyhow::Result<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(|error| anyhow!(error))
            .context("SMTP_URL")?
            .timeout(Some(TIMEOUT))
            .build();
        Ok(Self {
            transport,
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port(),
        })
    }

    /// Where the server is, without who we are there.
    pub(crate) fn address(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// Whether the server answers.
    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        let answers = self.transport.test_connection().await?;
        anyhow::ensure!(answers, "the mail server does not answer NOOP");
        Ok(())
    }

    /// Returns when the server has the mail.
    pub(crate) async fn send(&self, email: &Email) -> Result<(), SendMailError> {
        let message =
            message(email).map_err(|error| SendMailError::Refused(format!("{error:#}")))?;
        let span = self.span();
        let sent = self.transport.send(message).instrument(span.clone()).await;
        sent.map(drop).map_err(|error| {
            let error = classify(&error);
            telemetry::fail(&span, "smtp", &error.to_string());
            error
        })
    }

    /// SMTP has no semantic convention: a CLIENT span with the general attributes of one, and no address in it.
    fn span(&self) -> Span {
        info_span!(
            "send mail",
            otel.kind = "client",
            network.protocol.name = "smtp",
            server.address = self.host,
            server.port = self.port.map(i64::from),
        )
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

/// By <https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3>, and for logging in
/// <https://www.rfc-editor.org/rfc/rfc4954#section-6>.
fn classify(error: &smtp::Error) -> SendMailError {
    let Some(code) = error.status().map(u16::from) else {
        return SendMailError::Unavailable(format!("{error:#}"));
    };
    // Not the server's words, which like to repeat the address.
    let reason = format!("it answered {code}");
    match code {
        // It closes down, takes no mail at all, or wants us to log in otherwise.
        421 | 521 | 454 | 530 | 534 | 535 | 538 => SendMailError::Unavailable(reason),
        ..500 => SendMailError::PutOff(reason),
        500.. => SendMailError::Refused(reason),
    }
}
