//! SERVER spans, the `traceresponse` header, and an edge that does not trust strangers.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use http::{HeaderMap, HeaderValue};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, global};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_semantic_conventions::attribute::ERROR_TYPE;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

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
    router
        .layer(from_fn(describe))
        .layer(OtelAxumLayer::default())
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
    let caller = global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &HeaderExtractor(request.headers()))
    });
    let caller = caller.span().span_context().clone();
    if caller.is_valid() {
        request.extensions_mut().insert(Stranger(caller));
    }
    for header in ["traceparent", "tracestate", "baggage"] {
        request.headers_mut().remove(header);
    }
    next.run(request).await
}

/// Runs inside the SERVER span and adds what the conventions ask for beyond the crate.
async fn describe(request: Request, next: Next) -> Response {
    let span = Span::current();
    if let Some(Stranger(caller)) = request.extensions().get() {
        span.add_link(caller.clone());
    }
    let mut response = next.run(request).await;
    if response.status().is_server_error() {
        span.set_attribute(ERROR_TYPE, response.status().as_str().to_owned());
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
