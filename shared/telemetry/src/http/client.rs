//! CLIENT spans, and context in the headers of each request.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use http::Extensions;
use opentelemetry::global;
use opentelemetry_http::HeaderInjector;
use opentelemetry_semantic_conventions::attribute::HTTP_RESPONSE_STATUS_CODE;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next, Result};
use reqwest_tracing::{ReqwestOtelSpanBackend, TracingMiddleware};
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::current::fail;
use crate::faults::{Faults, Hop};

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
        let url = request.url();
        info_span!(
            "HTTP request",
            otel.name = request.method().as_str(),
            otel.kind = "client",
            http.request.method = request.method().as_str(),
            server.address = url.host_str(),
            server.port = url.port_or_known_default().map(i64::from),
            url.full = without_credentials(url),
        )
    }

    fn on_request_end(span: &Span, outcome: &Result<Response>, _: &mut Extensions) {
        match outcome {
            Ok(response) => record_status(span, response.status()),
            Err(error) => fail(span, error_type(error), &reason(error)),
        }
    }
}

fn record_status(span: &Span, status: reqwest::StatusCode) {
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()));
    if status.is_client_error() || status.is_server_error() {
        fail(span, status.as_str().to_owned(), "");
    }
}

fn without_credentials(url: &reqwest::Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs that have no host, which have no credentials either.
    url.set_username("").ok();
    url.set_password(None).ok();
    url.into()
}

fn error_type(error: &Error) -> &'static str {
    match error {
        Error::Reqwest(error) if error.is_timeout() => "timeout",
        Error::Reqwest(error) if error.is_connect() => "connection",
        Error::Reqwest(_) => "request",
        Error::Middleware(_) => "middleware",
    }
}

fn reason(error: &Error) -> String {
    match error {
        Error::Reqwest(error) => innermost_reason(error),
        Error::Middleware(error) => error.to_string(),
    }
}

/// The innermost reason, which says more than "error sending request".
fn innermost_reason(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
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
        global::get_text_map_propagator(|propagator| {
            let mut headers = HeaderInjector(request.headers_mut());
            propagator.inject_context(&Span::current().context(), &mut headers);
        });
        next.run(request, extensions).await
    }
}
