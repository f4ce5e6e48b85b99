//! Traces in the JSON of Jaeger's older API: times in microseconds, kind and status as tags, links as references.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::ids::{SpanId, TraceId};
use crate::source::Origin;
use crate::span::{SpanRef, StoredSpan, kind_text};
use crate::trace::Trace;
use crate::values;

/// The envelope of every answer; `limit` and `offset` are always 0 in Jaeger too.
pub(super) fn structured<T: Serialize>(data: &[T]) -> Value {
    json!({ "data": data, "total": data.len(), "limit": 0, "offset": 0, "errors": null })
}

pub(super) fn trace(trace: &Trace) -> Value {
    let mut processes = Processes::default();
    let spans = trace.by_start();
    let spans: Vec<_> = spans
        .into_iter()
        .map(|stored| span(trace.id, stored, &processes.id(&stored.origin)))
        .collect();
    json!({ "traceID": trace.id.to_string(), "spans": spans, "processes": processes.json, "warnings": null })
}

/// `p1`, `p2` … for the resources of a trace, in the order of their first span.
#[derive(Debug, Default)]
struct Processes {
    ids: BTreeMap<*const Origin, String>,
    json: BTreeMap<String, Value>,
}

impl Processes {
    /// Equal origins are the same `Arc`, so the address tells them apart.
    fn id(&mut self, origin: &Arc<Origin>) -> String {
        let next = format!("p{}", self.ids.len() + 1);
        let id = self.ids.entry(Arc::as_ptr(origin)).or_insert(next).clone();
        self.json
            .entry(id.clone())
            .or_insert_with(|| process(origin));
        id
    }
}

fn process(origin: &Origin) -> Value {
    let attributes = origin.resource.attributes.iter();
    let tags: Vec<_> = attributes
        .filter(|pair| pair.key != "service.name")
        .map(tag_of)
        .collect();
    json!({ "serviceName": *origin.service, "tags": tags })
}

fn span(trace_id: TraceId, stored: &StoredSpan, process_id: &str) -> Value {
    let span = stored.decode();
    json!({
        "traceID": trace_id.to_string(),
        "spanID": stored.id.to_string(),
        "flags": span.flags & 0xff,
        "operationName": span.name,
        "references": references(trace_id, stored),
        "startTime": stored.start_nanos / 1_000,
        "duration": stored.duration_nanos() / 1_000,
        "tags": tags(stored, &span),
        "logs": span.events.iter().map(log).collect::<Vec<_>>(),
        "processID": process_id,
        "warnings": null,
    })
}

/// The parent has to come first: readers take the first `CHILD_OF` for it.
fn references(trace_id: TraceId, stored: &StoredSpan) -> Vec<Value> {
    let reference = |kind: &str, trace_id: TraceId, span_id: SpanId| json!({ "refType": kind, "traceID": trace_id.to_string(), "spanID": span_id.to_string() });
    let parent = stored
        .parent
        .map(|parent| reference("CHILD_OF", trace_id, parent));
    let links = stored
        .links
        .iter()
        .map(|SpanRef { trace_id, span_id }| reference("FOLLOWS_FROM", *trace_id, *span_id));
    parent.into_iter().chain(links).collect()
}

/// Attributes, and the fields of the span that the older model knows only as tags, in Jaeger's order.
fn tags(stored: &StoredSpan, span: &Span) -> Vec<Tag> {
    let scope = &stored.scope.scope;
    let status = span.status.clone().unwrap_or_default();
    let status_code = match status.code() {
        StatusCode::Unset => "",
        StatusCode::Ok => "OK",
        StatusCode::Error => "ERROR",
    };
    let mut tags = Vec::new();
    push_text(&mut tags, "otel.scope.name", &scope.name);
    push_text(&mut tags, "otel.scope.version", &scope.version);
    tags.extend(span.attributes.iter().map(tag_of));
    push_text(
        &mut tags,
        "span.kind",
        kind_text(stored.kind).unwrap_or_default(),
    );
    push_text(&mut tags, "otel.status_code", status_code);
    if stored.failed {
        tags.push(tag("error", Some(&Any::BoolValue(true))));
    }
    push_text(&mut tags, "otel.status_description", &status.message);
    push_text(&mut tags, "w3c.tracestate", &span.trace_state);
    tags
}

fn push_text(tags: &mut Vec<Tag>, key: &str, text: &str) {
    if !text.is_empty() {
        tags.push(tag(key, Some(&Any::StringValue(text.to_owned()))));
    }
}

fn log(event: &Event) -> Value {
    let name = Any::StringValue(event.name.clone());
    let named = event.attributes.iter().any(|pair| pair.key == "event");
    let name = (!event.name.is_empty() && !named).then(|| tag("event", Some(&name)));
    let fields: Vec<_> = name
        .into_iter()
        .chain(event.attributes.iter().map(tag_of))
        .collect();
    json!({ "timestamp": event.time_unix_nano / 1_000, "fields": fields })
}

#[derive(Debug, Serialize)]
struct Tag {
    key: String,
    r#type: &'static str,
    value: Value,
}

fn tag_of(pair: &KeyValue) -> Tag {
    tag(
        &pair.key,
        pair.value.as_ref().and_then(|any| any.value.as_ref()),
    )
}

/// The older model has five scalar types; arrays and maps become their JSON text.
fn tag(key: &str, value: Option<&Any>) -> Tag {
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    let any = AnyValue {
        value: value.cloned(),
    };
    let (r#type, value) = match value {
        Some(Any::BoolValue(truth)) => ("bool", json!(truth)),
        // JavaScript would round it, so Jaeger writes it as text.
        Some(Any::IntValue(number)) if number.unsigned_abs() > MAX_SAFE_INTEGER => {
            ("int64", json!(number.to_string()))
        }
        Some(Any::IntValue(number)) => ("int64", json!(number)),
        Some(Any::DoubleValue(_)) => ("float64", values::json(Some(&any))),
        Some(Any::BytesValue(_)) => ("binary", values::json(Some(&any))),
        _ => ("string", json!(values::text(Some(&any)))),
    };
    Tag {
        key: key.to_owned(),
        r#type,
        value,
    }
}
