//! Spans for unit tests.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use story::{SpanId, SpanRef, TraceId};

use crate::source::Source;
use crate::span::StoredSpan;

pub(crate) fn trace_id(number: u128) -> TraceId {
    TraceId(number.to_be_bytes())
}

pub(crate) fn span_id(number: u64) -> SpanId {
    SpanId(number.to_be_bytes())
}

/// Starts at its id and takes a second, in nanoseconds.
pub(crate) fn span(id: u64, parent: Option<u64>, service: &str, name: &str) -> StoredSpan {
    stored(&sent(id, parent, name), service)
}

pub(crate) fn sent(id: u64, parent: Option<u64>, name: &str) -> Span {
    Span {
        trace_id: 1_u128.to_be_bytes().into(),
        span_id: id.to_be_bytes().into(),
        parent_span_id: parent
            .map(|parent| parent.to_be_bytes().into())
            .unwrap_or_default(),
        name: name.into(),
        start_time_unix_nano: id,
        end_time_unix_nano: id + 1_000_000_000,
        ..Span::default()
    }
}

pub(crate) fn stored(span: &Span, service: &str) -> StoredSpan {
    let resource = Resource {
        attributes: vec![attribute(
            "service.name",
            Value::StringValue(service.into()),
        )],
        ..Resource::default()
    };
    let resource = Source::resource(&ResourceSpans {
        resource: Some(resource),
        ..ResourceSpans::default()
    });
    let scope = Source::scope(&ScopeSpans::default());
    StoredSpan::new(span, Arc::new(resource), Arc::new(scope))
        .unwrap()
        .1
}

pub(crate) fn linked(mut span: StoredSpan, trace: u128, id: u64) -> StoredSpan {
    span.links = Box::new([SpanRef {
        trace_id: trace_id(trace),
        span_id: span_id(id),
    }]);
    span
}

pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
