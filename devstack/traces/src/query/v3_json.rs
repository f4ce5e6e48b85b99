//! Traces as OTLP JSON, and as Jaeger's summaries.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use serde::Serialize;

use crate::source::{Origin, Scope};
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

/// Equal origins and scopes are shared by all spans, so their addresses serve as keys.
fn resource_spans(trace: &Trace) -> Vec<ResourceSpans> {
    let mut groups = BTreeMap::<_, BTreeMap<_, Vec<&StoredSpan>>>::new();
    for span in trace.by_start() {
        let scopes = groups.entry(Arc::as_ptr(&span.origin)).or_default();
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
        .map(|scopes| resource_group(&scopes[0][0].origin, scopes))
        .collect()
}

fn resource_group(origin: &Origin, scopes: &[Vec<&StoredSpan>]) -> ResourceSpans {
    let mut resource = origin.resource.clone();
    make_finite(&mut resource.attributes);
    ResourceSpans {
        resource: Some(resource),
        scope_spans: scopes
            .iter()
            .map(|spans| scope_group(&spans[0].scope, spans))
            .collect(),
        schema_url: origin.schema_url.clone(),
    }
}

fn scope_group(scope: &Scope, spans: &[&StoredSpan]) -> ScopeSpans {
    ScopeSpans {
        scope: Some(scope.scope.clone()),
        spans: spans.iter().map(|span| printable(span.decode())).collect(),
        schema_url: scope.schema_url.clone(),
    }
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

/// One row of a search result, as `/api/v3/trace-summaries` of later Jaeger versions writes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    trace_id: String,
    root_service_name: String,
    root_operation_name: String,
    /// Decimal text, since JavaScript's numbers end at 2^53.
    min_start_time_unix_nano: String,
    max_end_time_unix_nano: String,
    span_count: usize,
    error_span_count: usize,
    orphan_span_count: usize,
    services: Vec<ServiceSummary>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceSummary {
    name: String,
    span_count: usize,
    error_span_count: usize,
}

pub(super) fn summary(trace: &Trace) -> Summary {
    let root = trace.root();
    let services = trace
        .services()
        .into_iter()
        .map(|(name, counts)| ServiceSummary {
            name: name.to_owned(),
            span_count: counts.spans,
            error_span_count: counts.errors,
        });
    Summary {
        trace_id: trace.id.to_string(),
        root_service_name: root
            .map(|span| span.origin.service.to_string())
            .unwrap_or_default(),
        root_operation_name: root.map(|span| span.name.to_string()).unwrap_or_default(),
        min_start_time_unix_nano: trace.start_nanos().to_string(),
        max_end_time_unix_nano: trace.end_nanos().to_string(),
        span_count: trace.len(),
        error_span_count: trace.errors(),
        orphan_span_count: trace.orphans(),
        services: services.collect(),
    }
}
