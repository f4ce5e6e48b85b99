//! <https://www.w3.org/TR/trace-context-2/#traceparent-header>

use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId};

use super::tracestate::{self, TRACESTATE};

pub(crate) const TRACEPARENT: &str = "traceparent";

/// How long a `traceparent` of version 00 is; those of later versions have more, after a dash, or nothing more.
const LENGTH: usize = 55;
/// The flags that have a meaning: sampled, and since level 2 random. The others are not passed on.
const FLAGS: TraceFlags = TraceFlags::new(0b11);

static NAMES: LazyLock<[String; 2]> =
    LazyLock::new(|| [TRACEPARENT, TRACESTATE].map(str::to_owned));

/// Carries a span's identity as `traceparent` and `tracestate`, as W3C Trace Context says and no other way.
///
/// A `traceparent` that the specification does not allow is no context, and a `tracestate` that it does not allow is none;
/// the trace goes on without it. [`w3c`](crate::w3c) lists what that means.
///
/// An empty `tracestate` is written too, so that the carriers of this crate take an old one out.
///
/// ```
/// use std::collections::HashMap;
/// use opentelemetry::Context;
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry::trace::TraceContextExt;
/// use otel_carriers::w3c::TraceContextPropagator;
///
/// let read = |traceparent: &str| {
///     let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
///     TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
/// };
/// assert!(!read("00-abc-12-1").has_active_span());
/// assert!(read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").has_active_span());
/// ```
#[derive(Debug, Clone, Default)]
pub struct TraceContextPropagator {
    _private: (),
}

impl TraceContextPropagator {
    /// There is nothing to be set.
    ///
    /// ```
    /// # use otel_carriers::w3c::TraceContextPropagator;
    /// opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }
}

impl TextMapPropagator for TraceContextPropagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let span = context.span();
        let span = span.span_context();
        if !span.is_valid() {
            return;
        }
        let (trace_id, span_id) = (span.trace_id(), span.span_id());
        let flags = span.trace_flags() & FLAGS;
        injector.set(TRACEPARENT, format!("00-{trace_id}-{span_id}-{flags:02x}"));
        injector.set(TRACESTATE, tracestate::header(span.trace_state()));
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        match caller(extractor) {
            Some(caller) => context.with_remote_span_context(caller),
            None => context.clone(),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*NAMES)
    }
}

fn caller(extractor: &dyn Extractor) -> Option<SpanContext> {
    let all = extractor.get_all(TRACEPARENT)?;
    // Which of several is the caller's cannot be known.
    let [traceparent] = all.as_slice() else {
        return None;
    };
    let (trace_id, span_id, flags) = parse(traceparent)?;
    let lists = extractor.get_all(TRACESTATE).unwrap_or_default();
    let state = tracestate::parse(&lists).unwrap_or_default();
    Some(SpanContext::new(trace_id, span_id, flags, true, state))
}

/// Whether `traceparent` names a span.
#[cfg(any(
    feature = "eventbridge",
    feature = "pubsub",
    feature = "sns",
    feature = "sqs"
))]
pub(crate) fn is_usable(traceparent: &str) -> bool {
    parse(traceparent).is_some()
}

fn parse(traceparent: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let text = traceparent.trim_matches([' ', '\t']);
    let (fields, more) = text.split_at_checked(LENGTH)?;
    let mut fields = fields.split('-');
    let mut field = |length| fields.next().filter(|field| is_lower_hex(field, length));
    let (version, trace_id) = (field(2)?, field(32)?);
    let (span_id, flags) = (field(16)?, field(2)?);
    let is_whole = more.is_empty() || (version != "00" && more.starts_with('-'));
    let trace_id = TraceId::from_hex(trace_id).ok()?;
    let span_id = SpanId::from_hex(span_id).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & FLAGS;
    let names_a_span = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
    (is_whole && names_a_span && version != "ff").then_some((trace_id, span_id, flags))
}

/// Whether `text` is `length` hexadecimal digits, none in upper case.
fn is_lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_specification_allows() {
        for traceparent in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\t",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-of-a-later-version",
        ] {
            assert!(parse(traceparent).is_some(), "{traceparent}");
        }
    }

    #[test]
    fn refuses_what_names_no_span() {
        for traceparent in [
            "",
            "garbage",
            "00-abc-12-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0é-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(parse(traceparent).is_none(), "{traceparent}");
        }
    }
}
