//! Context that outlives its request: stored with an outbox row, used when the row is sent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue, global};
use otel_carriers::w3c::add_baggage;
use serde::{Deserialize, Serialize};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::destination::Destination;
use crate::span;

/// Trace context and baggage as a map of strings, in the form of the configured propagators.
///
/// Capture it where the event happens: whoever sends the event later has no request, and a wrong link looks like a
/// right one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredContext(HashMap<String, String>);

impl StoredContext {
    /// The current context, with `baggage` added to what is there, which makes way where there is no room for all.
    pub fn capture<const N: usize>(baggage: [(&'static str, String); N]) -> Self {
        let baggage = baggage.map(|(key, value)| KeyValue::new(key, value));
        let context = add_baggage(&current(), baggage);
        let mut stored = HashMap::new();
        inject(&context, &mut stored);
        Self(stored)
    }

    /// Links the current span to the span in which this was captured: for what happens to the same thing much later,
    /// in a trace of its own.
    pub fn link(&self) {
        span::link_to(&Span::current(), &self.restore());
    }

    pub(crate) fn restore(&self) -> Context {
        extract(&self.0)
    }
}

/// The context one is in: that of the innermost span, or what passes through where nothing makes one.
pub(crate) fn current() -> Context {
    let current = Context::current();
    if current.span().span_context().is_valid() {
        return current;
    }
    // A layer that is told not to activate contexts leaves them with their spans.
    let of_span = Span::current().context();
    if of_span.span().span_context().is_valid() {
        of_span
    } else {
        current
    }
}

/// Writes `context` into `carrier`.
pub(crate) fn inject(context: &Context, carrier: &mut dyn Injector) {
    global::get_text_map_propagator(|propagator| propagator.inject_context(context, carrier));
}

/// Reads the context in `carrier`, and nothing from the current one: a malformed or missing context begins a new trace.
pub(crate) fn extract(carrier: &dyn Extractor) -> Context {
    global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), carrier)
    })
}

/// What found no room in a broker's attributes is counted, and said once.
pub(crate) fn note_left_out(keys: usize, destination: &Destination) {
    static LEFT_OUT: AtomicU64 = AtomicU64::new(0);
    let keys = keys as u64;
    if keys > 0 && LEFT_OUT.fetch_add(keys, Ordering::Relaxed) == 0 {
        let (destination, system) = (&destination.name, destination.system);
        tracing::warn!(
            destination,
            system,
            "no room for all of the context: a part of it was left out"
        );
    }
}
