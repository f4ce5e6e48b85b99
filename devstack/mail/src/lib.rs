//! A mail server that delivers nothing: it keeps every message and shows it.
//!
//! Mail goes in over SMTP (RFC 5321, with SIZE, 8BITMIME, SMTPUTF8 and PIPELINING) and comes out over the part of `MailDev`'s REST API that tests use, and on a plain page for people.
//! So a test that asks "did this customer get exactly one mail?" runs unchanged against this server and against `MailDev`.
//!
//! Where a message goes in, step by step: `smtp` talks to the client, `email` reads what was sent, `mailbox` keeps it, `http` shows it.
//! Nothing is ever merged: two messages with one `Message-ID` are two messages, since finding doubles is what the server is for.

mod email;
mod faults;
mod http;
mod mailbox;
mod smtp;

use std::sync::Arc;

use anyhow::Context as _;
use standin::Visitors;
use standin::faults::Faults;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use faults::Fault;

use mailbox::Mailbox;

/// The two sockets of the server; bound by the caller, who may want any free port.
#[derive(Debug)]
pub struct Listeners {
    /// Mail comes in here.
    pub smtp: TcpListener,
    /// The REST API and the page.
    pub http: TcpListener,
}

/// Serves both sockets until `shutdown`; SMTP clients are told with a 421 and HTTP requests in hand are finished.
///
/// Messages live in memory, a bounded number of them, and are gone when this returns.
///
/// # Errors
///
/// When a listener breaks; whatever a client sends is answered and never ends the server.
pub async fn serve(listeners: Listeners, shutdown: CancellationToken) -> anyhow::Result<()> {
    serve_with_faults(listeners, Vec::new(), shutdown).await
}

/// As [`serve`], with faults on purpose, until `DELETE /faults` mends them.
///
/// # Errors
///
/// As [`serve`].
pub async fn serve_with_faults(
    listeners: Listeners,
    faults: Vec<Fault>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (smtp, http) = (listeners.smtp.local_addr()?, listeners.http.local_addr()?);
    tracing::info!(%smtp, %http, "mail server is listening");

    let mailbox = Arc::new(Mailbox::default());
    let faults = Arc::new(Faults::new(faults));
    let router = http::router(mailbox.clone(), faults.clone());
    let http = standin::serve(listeners.http, router, Visitors::People, shutdown.clone());
    let smtp = smtp::serve(listeners.smtp, mailbox, faults, shutdown);
    let (served, ()) = tokio::join!(http, smtp);
    served.context("serving the mail API")
}
