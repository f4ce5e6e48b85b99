//! What may be asked of, and said to, the span one is in.

use opentelemetry::trace::{FutureExt, Status, TraceContextExt};
use opentelemetry::{Context, Value};
use opentelemetry_semantic_conventions::attribute::ERROR_TYPE;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The trace id of the current span: 32 hex digits, or `None` outside a trace.
pub fn trace_id() -> Option<String> {
    // Not from `Span::current()`, which knows nothing while a log line is being written.
    let context = Context::current();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// `work` in the span and the context that one is in, also when another task does it.
///
/// The context too, because it passes on also where a filter disabled the span, or nothing makes one.
pub fn in_current_context<F: Future>(work: F) -> impl Future<Output = F::Output> {
    work.with_current_context().in_current_span()
}

/// Sets an attribute of the current span, whether or not it was declared when the span was made.
pub fn set_attribute(key: &'static str, value: impl Into<Value>) {
    Span::current().set_attribute(key, value);
}

/// Marks `span` as failed: status Error, and `error.type` from a small set of values.
pub fn fail(span: &Span, error_type: impl Into<Value>, description: &str) {
    span.set_attribute(ERROR_TYPE, error_type.into());
    span.set_status(Status::error(description.to_owned()));
}
