//! Traces as OTLP JSON.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};

use crate::source::Source;
use crate::trace::Trace;

/// The traces one after the other, each with its spans grouped by resource and scope as they were sent.
pub(super) fn traces_data(traces: &[Arc<Trace>]) -> TracesData {
    TracesData {
        resource_spans: traces
            .iter()
            .flat_map(|trace| resource_spans(trace))
            .collect(),
    }
}

/// Equal resources and scopes are shared by all spans, so their addresses serve as keys.
fn resource_spans(trace: &Trace) -> Vec<ResourceSpans> {
    let mut groups = Vec::new();
    let (mut resources, mut scopes) = (HashMap::new(), HashMap::new());
    for span in trace.by_start() {
        let resource = *resources
            .entry(Arc::as_ptr(&span.resource))
            .or_insert_with(|| push(&mut groups, resource_group(&span.resource)));
        let of_resource = &mut groups[resource].scope_spans;
        let scope = *scopes
            .entry((resource, Arc::as_ptr(&span.scope)))
            .or_insert_with(|| push(of_resource, scope_group(&span.scope)));
        of_resource[scope].spans.push(printable(span.decode()));
    }
    groups
}

/// The place of what is pushed.
fn push<T>(list: &mut Vec<T>, item: T) -> usize {
    list.push(item);
    list.len() - 1
}

fn resource_group(source: &Source) -> ResourceSpans {
    let mut group = source.decode_resource();
    make_finite(&mut group.resource.get_or_insert_default().attributes);
    group
}

fn scope_group(source: &Source) -> ScopeSpans {
    let mut group = source.decode_scope();
    group.scope.get_or_insert_default();
    group
}

/// Fills in what would be printed as `null`.
fn printable(mut span: Span) -> Span {
    span.status.get_or_insert_default();
    make_finite(&mut span.attributes);
    span.events
        .iter_mut()
        .for_each(|event| make_finite(&mut event.attributes));
    span.links
        .iter_mut()
        .for_each(|link| make_finite(&mut link.attributes));
    span
}

/// `serde_json` writes `null` for NaN and the infinities, so they are shown as the text that stands for them.
fn make_finite(attributes: &mut [KeyValue]) {
    let values = attributes.iter_mut().filter_map(|pair| pair.value.as_mut());
    values.for_each(make_value_finite);
}

fn make_value_finite(any: &mut AnyValue) {
    match &mut any.value {
        Some(Value::DoubleValue(number)) if !number.is_finite() => {
            any.value = Some(Value::StringValue(story::text(Some(any))));
        }
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(make_value_finite),
        Some(Value::KvlistValue(list)) => make_finite(&mut list.values),
        _ => {}
    }
}
