use std::str::FromStr;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{
    Extractor, Injector, TextMapCompositePropagator, TextMapPropagator,
};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use otel_carriers::w3c::{BaggagePropagator, TraceContextPropagator, propagator};

pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub(crate) const OTHER_TRACEPARENT: &str =
    "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";

/// None of them names a span.
pub(crate) const UNUSABLE: [&str; 6] = [
    "",
    "garbage",
    "00-4bf92f3577b34da6a3ce929d0e0e4736",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-0000000000000000-00",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
];

/// The context of [`TRACEPARENT`], with a `tracestate` and baggage of two members.
pub(crate) fn context() -> Context {
    let span = SpanContext::new(
        TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
        SpanId::from(0x00f0_67aa_0ba9_02b7),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_str("ot=th:8,vendor=value").expect("it is valid"),
    );
    Context::new().with_remote_span_context(span).with_baggage([
        KeyValue::new("order.id", "0198c0de-7a11"),
        KeyValue::new("customer.tier", "gold"),
    ])
}

/// W3C Trace Context and Baggage, in the usual order.
pub(crate) fn w3c() -> TextMapCompositePropagator {
    propagator()
}

/// The same, in the order that is hardest where room is tight.
pub(crate) fn baggage_first() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(BaggagePropagator::new()),
        Box::new(TraceContextPropagator::new()),
    ])
}

pub(crate) fn inject(context: &Context, carrier: &mut dyn Injector) {
    w3c().inject_context(context, carrier);
}

pub(crate) fn extract(carrier: &dyn Extractor) -> Context {
    w3c().extract_with_context(&Context::new(), carrier)
}

/// The `traceparent` of `context`; empty if it has no span.
pub(crate) fn traceparent(context: &Context) -> String {
    let mut carrier = std::collections::HashMap::<String, String>::new();
    TraceContextPropagator::new().inject_context(context, &mut carrier);
    carrier.remove("traceparent").unwrap_or_default()
}

/// Asserts that two contexts have the same span, `tracestate` and baggage.
pub(crate) fn assert_same(context: &Context, expected: &Context) {
    assert_eq!(
        context.span().span_context(),
        expected.span().span_context()
    );
    let all = |context: &Context| {
        let baggage = context.baggage().iter();
        let mut all: Vec<_> = baggage.map(|(k, v)| (k.clone(), v.clone())).collect();
        all.sort_by(|(left, _), (right, _)| left.cmp(right));
        all
    };
    assert_eq!(all(context), all(expected));
}
