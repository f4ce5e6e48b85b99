//! CLIENT spans, and context in the headers of each request.

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use http::Extensions;
use opentelemetry_semantic_conventions::attribute::{
    HTTP_RESPONSE_STATUS_CODE, NETWORK_PROTOCOL_VERSION,
};
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next, Result};
use reqwest_tracing::{ReqwestOtelSpanBackend, TracingMiddleware};
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::current::fail;
use crate::faults::{Faults, Hop};
use crate::http::url::{bare_host, known, redacted, version};
use crate::propagation;

/// An HTTP client whose requests are CLIENT spans and carry context. Cheap to clone.
pub type Client = ClientWithMiddleware;

/// A client for a service of ours, that gives up on a request after `timeout`.
///
/// Make one per remote service and keep it: it owns the connections.
pub fn client(timeout: Duration, faults: &Faults) -> anyhow::Result<Client> {
    let client = spanned(timeout)?;
    if !faults.propagates(Hop::Http) {
        return Ok(client.build());
    }
    // After the span's middleware, so that the headers name the CLIENT span and not its parent.
    Ok(client.with(InjectContext).build())
}

/// As [`client`], for a service of somebody else: what our baggage says is none of their business.
pub fn foreign_client(timeout: Duration) -> anyhow::Result<Client> {
    Ok(spanned(timeout)?.build())
}

fn spanned(timeout: Duration) -> anyhow::Result<ClientBuilder> {
    let client = reqwest::Client::builder()
        .timeout(timeout)
        .build()
        .context("building the HTTP client")?;
    Ok(ClientBuilder::new(client).with(TracingMiddleware::<ClientSpan>::new()))
}

/// A span by the stable conventions; the crate's own has `server.port` as text and no `error.type`.
struct ClientSpan;

impl ReqwestOtelSpanBackend for ClientSpan {
    fn on_request_start(request: &Request, _: &mut Extensions) -> Span {
        let (url, method) = (request.url(), request.method());
        let known = known(method);
        info_span!(
            "HTTP request",
            otel.name = known.unwrap_or("HTTP"),
            otel.kind = "client",
            http.request.method = known.unwrap_or("_OTHER"),
            http.request.method_original = known.is_none().then(|| method.as_str()),
            server.address = url.host_str().map(bare_host),
            server.port = url.port_or_known_default().map(i64::from),
            url.full = redacted(url),
        )
    }

    fn on_request_end(span: &Span, outcome: &Result<Response>, _: &mut Extensions) {
        match outcome {
            Ok(response) => record_answer(span, response),
            Err(error) => fail(span, error_type(error), &reason(error)),
        }
    }
}

fn record_answer(span: &Span, response: &Response) {
    let status = response.status();
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()));
    if let Some(version) = version(response.version()) {
        span.set_attribute(NETWORK_PROTOCOL_VERSION, version);
    }
    if status.is_client_error() || status.is_server_error() {
        fail(span, status.as_str().to_owned(), "");
    }
}

/// Few values, so that they can be counted; docs/telemetry.md lists them.
fn error_type(error: &Error) -> &'static str {
    match error {
        Error::Reqwest(error) if error.is_timeout() => "timeout",
        Error::Reqwest(error) if is_tls(error) => "tls",
        Error::Reqwest(error) if error.is_dns() => "dns",
        Error::Reqwest(error) if error.is_connect() => "connection",
        Error::Reqwest(error) if error.is_redirect() => "redirect",
        Error::Reqwest(error) if error.is_decode() => "decode",
        Error::Reqwest(error) if error.is_body() => "body",
        // The connection broke after it was made.
        Error::Reqwest(error) if error.is_request() => "connection",
        Error::Reqwest(_) => "request",
        Error::Middleware(_) => "middleware",
    }
}

/// Whether the handshake failed: the certificate, most often. rustls's errors come as invalid data.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut causes = sources(error).filter_map(|source| source.downcast_ref());
    error.is_connect() && causes.any(is_invalid_data)
}

/// An error of this kind hides another one, which is no source of it.
fn is_invalid_data(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_invalid_data)
}

fn reason(error: &Error) -> String {
    match error {
        Error::Reqwest(error) => innermost_reason(error),
        Error::Middleware(error) => error.to_string(),
    }
}

/// The innermost reason, which says more than "error sending request".
fn innermost_reason(error: &reqwest::Error) -> String {
    let innermost = sources(error).last();
    innermost.map_or_else(|| error.to_string(), ToString::to_string)
}

fn sources<'a>(
    error: &'a reqwest::Error,
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |source| source.source())
}

struct InjectContext;

#[async_trait]
impl Middleware for InjectContext {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        propagation::inject(request.headers_mut());
        next.run(request, extensions).await
    }
}
