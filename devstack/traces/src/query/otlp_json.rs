//! Traces as OTLP JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};

use crate::source::Source;
use crate::span::StoredSpan;
use crate::trace::Trace;
use crate::values::non_finite;

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
    let mut groups = BTreeMap::<_, BTreeMap<_, Vec<&StoredSpan>>>::new();
    for span in trace.by_start() {
        let scopes = groups.entry(Arc::as_ptr(&span.resource)).or_default();
        scopes
            .entry(Arc::as_ptr(&span.scope))
            .or_default()
            .push(span);
    }
    let mut groups: Vec<Vec<Vec<&StoredSpan>>> = groups
        .into_values()
        .map(|scopes| scopes.into_values().collect())
        .collect();
    // Addresses are in no meaningful order; the first span of each group is.
    for scopes in &mut groups {
        scopes.sort_by_key(|spans| spans[0].start_nanos);
    }
    groups.sort_by_key(|scopes| scopes[0][0].start_nanos);
    groups
        .iter()
        .map(|scopes| resource_group(&scopes[0][0].resource, scopes))
        .collect()
}

fn resource_group(source: &Source, scopes: &[Vec<&StoredSpan>]) -> ResourceSpans {
    let mut group = source.decode_resource();
    make_finite(&mut group.resource.get_or_insert_default().attributes);
    group.scope_spans = scopes.iter().map(|spans| scope_group(spans)).collect();
    group
}

fn scope_group(spans: &[&StoredSpan]) -> ScopeSpans {
    let mut group = spans[0].scope.decode_scope();
    group.scope.get_or_insert_default();
    group.spans = spans.iter().map(|span| printable(span.decode())).collect();
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
            any.value = Some(Value::StringValue(non_finite(*number).to_owned()));
        }
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(make_value_finite),
        Some(Value::KvlistValue(list)) => make_finite(&mut list.values),
        _ => {}
    }
}
