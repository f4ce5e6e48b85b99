//! SERVER spans, the `traceresponse` header, and an edge that does not trust strangers.

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::header::{HOST, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, global};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_semantic_conventions::attribute::HTTP_RESPONSE_STATUS_CODE;
use tower_http::trace::TraceLayer;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::current::fail;

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
    router.layer(from_fn(describe)).layer(spans)
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
    let caller = caller(request.headers()).span().span_context().clone();
    if caller.is_valid() {
        request.extensions_mut().insert(Stranger(caller));
    }
    for header in ["traceparent", "tracestate", "baggage"] {
        request.headers_mut().remove(header);
    }
    next.run(request).await
}

fn caller(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers))
    })
}

/// `<method> <route>`, SERVER, child of the caller's span: never named by the path, which has no end of values.
fn server_span(request: &Request) -> Span {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(MatchedPath::as_str);
    let method = known(request.method()).unwrap_or("HTTP");
    let server = text(request.headers(), &HOST).and_then(|host| host.parse::<Authority>().ok());
    let span = info_span!(
        parent: None,
        "HTTP request",
        otel.name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")),
        otel.kind = "server",
        http.request.method = known(request.method()).unwrap_or("_OTHER"),
        http.request.method_original = known(request.method()).is_none().then(|| request.method().as_str()),
        http.route = route,
        url.scheme = "http",
        url.path = request.uri().path(),
        url.query = request.uri().query(),
        network.protocol.version = version(request.version()),
        server.address = server.as_ref().map(Authority::host),
        server.port = server.as_ref().and_then(Authority::port_u16).map(i64::from),
        user_agent.original = text(request.headers(), &USER_AGENT),
    );
    if let Err(error) = span.set_parent(caller(request.headers())) {
        tracing::debug!(%error, "a request began a trace without its caller");
    }
    span
}

/// The methods that the conventions let into names and attributes as they are.
fn known(method: &Method) -> Option<&'static str> {
    [
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT",
    ]
    .into_iter()
    .find(|known| known == method)
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    }
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
    let mut response = next.run(request).await;
    let status = response.status();
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()));
    if status.is_server_error() {
        fail(&span, status.as_str().to_owned(), "");
    }
    add_traceresponse(&span, response.headers_mut());
    response
}

/// <https://w3c.github.io/trace-context/#traceresponse-header>
fn add_traceresponse(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    let span = context.span().span_context().clone();
    if !span.is_valid() {
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
