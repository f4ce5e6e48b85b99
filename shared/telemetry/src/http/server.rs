//! SERVER spans, the `traceresponse` header, and an edge that does not trust strangers.

use std::mem;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::header::{HOST, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, SpanContext, TraceContextExt};
use opentelemetry_semantic_conventions::attribute::HTTP_RESPONSE_STATUS_CODE;
use tower_http::trace::TraceLayer;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::current::fail;
use crate::http::url::{bare_host, known, redacted_query, version};
use crate::propagation::extract;

/// What the edge does with the trace that a caller brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Continue the caller's trace, and take its baggage.
    Continue,
    /// Begin a trace of our own, link it to the caller's, and drop the baggage.
    Link,
}

/// The caller's span, kept aside while its headers are gone.
#[derive(Debug, Clone)]
struct Stranger(SpanContext);

/// Gives each request of `router` a SERVER span, and each response a `traceresponse` header.
///
/// Routes that must stay out of traces, such as health, are merged afterwards.
pub fn server(router: Router) -> Router {
    let spans = TraceLayer::new_for_http()
        .make_span_with(server_span)
        .on_request(())
        .on_response(())
        .on_failure(());
    let router = router.layer(from_fn(describe)).layer(spans);
    router.layer(from_fn(receive))
}

/// What the caller sent along.
#[derive(Debug, Clone)]
struct Caller(Context);

/// Works in the caller's context, so that it passes on also where nothing makes a span of the request.
async fn receive(mut request: Request, next: Next) -> Response {
    let caller = Caller(extract(request.headers()));
    request.extensions_mut().insert(caller.clone());
    next.run(request).with_context(caller.0).await
}

/// As [`server`], for the service that callers from outside meet first.
pub fn edge(router: Router, trust: Trust) -> Router {
    let router = server(router);
    match trust {
        Trust::Continue => router,
        Trust::Link => router.layer(from_fn(take_context)),
    }
}

/// Takes the caller's context out of the headers before the span is made.
async fn take_context(mut request: Request, next: Next) -> Response {
    let caller = extract(request.headers()).span().span_context().clone();
    if caller.is_valid() {
        request.extensions_mut().insert(Stranger(caller));
    }
    for header in ["traceparent", "tracestate", "baggage"] {
        request.headers_mut().remove(header);
    }
    next.run(request).await
}

/// `<method> <route>`, SERVER, child of the caller's span: never named by the path, which has no end of values.
fn server_span(request: &Request) -> Span {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(MatchedPath::as_str);
    let method = request.method();
    let known = known(method);
    let name = known.unwrap_or("HTTP");
    let scheme = scheme(request.uri());
    let server = server_authority(request);
    let span = info_span!(
        parent: None,
        "HTTP request",
        otel.name = route.map_or_else(|| name.to_owned(), |route| format!("{name} {route}")),
        otel.kind = "server",
        http.request.method = known.unwrap_or("_OTHER"),
        http.request.method_original = known.is_none().then(|| method.as_str()),
        http.route = route,
        url.scheme = scheme,
        url.path = request.uri().path(),
        url.query = request.uri().query().map(redacted_query).as_deref(),
        network.protocol.version = version(request.version()),
        server.address = server.as_ref().map(|server| bare_host(server.host())),
        server.port = server.as_ref().map(|server| port(server, scheme)),
        user_agent.original = text(request.headers(), &USER_AGENT),
    );
    let caller = request
        .extensions()
        .get()
        .map(|Caller(context)| context.clone());
    if let Err(error) = span.set_parent(caller.unwrap_or_default()) {
        tracing::debug!(%error, "a request began a trace without its caller");
    }
    span
}

/// What the caller named: in `:authority` on HTTP/2, else in `Host`.
///
/// `Forwarded` and `X-Forwarded-Host` are not asked: anybody can write them.
fn server_authority(request: &Request) -> Option<Authority> {
    let named = request.uri().authority().cloned();
    named.or_else(|| text(request.headers(), &HOST)?.parse().ok())
}

/// What the caller wrote into `:scheme` on HTTP/2; else what the services speak.
fn scheme(uri: &Uri) -> &'static str {
    match uri.scheme_str() {
        Some("https") => "https",
        _ => "http",
    }
}

fn port(server: &Authority, scheme: &str) -> i64 {
    let default = if scheme == "https" { 443 } else { 80 };
    server.port_u16().unwrap_or(default).into()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Runs inside the SERVER span: links it to a stranger's, and tells how the request ended.
async fn describe(request: Request, next: Next) -> Response {
    let span = Span::current();
    if let Some(Stranger(caller)) = request.extensions().get() {
        span.add_link(caller.clone());
    }
    let unanswered = Unanswered(&span);
    let mut response = next.run(request).await;
    mem::forget(unanswered);
    let status = response.status();
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()));
    if status.is_server_error() {
        fail(&span, status.as_str().to_owned(), "");
    }
    add_traceresponse(&span, response.headers_mut());
    response
}

/// Dropped with the request, when its caller hung up before there was a response.
struct Unanswered<'a>(&'a Span);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        let class = if std::thread::panicking() {
            "panic"
        } else {
            "cancelled"
        };
        fail(self.0, class, "there was no response");
    }
}

/// <https://w3c.github.io/trace-context/#traceresponse-header>
fn add_traceresponse(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    let span = context.span().span_context().clone();
    // Where no span is made, what is current is the caller's.
    if !span.is_valid() || span.is_remote() {
        return;
    }
    let value = format!(
        "00-{}-{}-{:02x}",
        span.trace_id(),
        span.span_id(),
        span.trace_flags()
    );
    let value = HeaderValue::try_from(value).expect("hex digits and dashes are a header value");
    headers.insert("traceresponse", value);
}
