//! Reads the OTLP JSON of Jaeger's query API v3 into spans.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1 as otlp;
use otlp::span::SpanKind;
use otlp::status::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::span::{Attributes, Event, InvalidId, Kind, Span, SpanId, SpanRef, Status, TraceId};

/// One JSON object of an answer.
///
/// Jaeger up to 2.13 wraps it in `result`, as its gateway does with streams; later versions do not.
/// A failure in mid-stream arrives as an object with `error`, after a status of 200.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    /// Spans come back in the message in which they were exported.
    result: Option<ExportTraceServiceRequest>,
    error: Option<Value>,
    #[serde(default)]
    resource_spans: Vec<otlp::ResourceSpans>,
}

/// An answer that is not a trace.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("not OTLP JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the store stopped in the middle of the trace: {0}")]
    Interrupted(Value),
    #[error("a span without a valid id: {0}")]
    InvalidId(#[from] InvalidId),
}

/// Reads every span of `body`: one JSON object, or several in a row.
///
/// A span that a retried export delivered twice is returned once.
pub(crate) fn decode(body: &str) -> Result<Vec<Span>, DecodeError> {
    let mut spans = Vec::new();
    for chunk in serde_json::Deserializer::from_str(body).into_iter::<Chunk>() {
        let chunk = chunk?;
        if let Some(error) = chunk.error {
            return Err(DecodeError::Interrupted(error));
        }
        let wrapped = chunk.result.map(|result| result.resource_spans);
        for resource in wrapped.into_iter().flatten().chain(chunk.resource_spans) {
            let service = service(&resource.resource.unwrap_or_default().attributes);
            for raw in resource.scope_spans.into_iter().flat_map(|it| it.spans) {
                spans.push(Span::from_otlp(raw, &service)?);
            }
        }
    }
    let mut seen = HashSet::new();
    spans.retain(|span| seen.insert(span.reference()));
    Ok(spans)
}

fn service(resource: &[KeyValue]) -> String {
    let name = resource.iter().find(|pair| pair.key == "service.name");
    name.map_or_else(
        || "unknown_service".to_owned(),
        |name| text(name.value.as_ref()),
    )
}

impl Span {
    /// The span as an exporter sent it, of a resource with this `service.name`.
    pub fn from_otlp(raw: otlp::Span, service: &str) -> Result<Self, InvalidId> {
        let kind = kind(raw.kind());
        // Absent, empty and all zeros all mean "no parent": stores differ in what they keep.
        let has_parent = raw.parent_span_id.iter().any(|byte| *byte != 0);
        let parent = has_parent.then_some(&raw.parent_span_id);
        Ok(Self {
            trace_id: hex::encode(&raw.trace_id).parse()?,
            span_id: hex::encode(&raw.span_id).parse()?,
            parent: parent.map(|id| hex::encode(id).parse()).transpose()?,
            name: raw.name,
            service: service.to_owned(),
            kind,
            start: raw.start_time_unix_nano,
            end: raw.end_time_unix_nano,
            attributes: attributes(&raw.attributes),
            links: raw.links.iter().filter_map(SpanRef::of_link).collect(),
            status: raw.status.map_or(Status::Unset, status),
            events: raw.events.into_iter().map(event).collect(),
        })
    }
}

impl SpanRef {
    /// `None` for a link to an invalid id, which points nowhere; the specification allows it, for its attributes.
    pub fn of_link(raw: &otlp::span::Link) -> Option<Self> {
        Some(Self {
            trace_id: TraceId::from_bytes(&raw.trace_id)?,
            span_id: SpanId::from_bytes(&raw.span_id)?,
        })
    }
}

fn kind(raw: SpanKind) -> Kind {
    match raw {
        SpanKind::Server => Kind::Server,
        SpanKind::Client => Kind::Client,
        SpanKind::Producer => Kind::Producer,
        SpanKind::Consumer => Kind::Consumer,
        // "Implementations MAY assume SpanKind to be INTERNAL when receiving UNSPECIFIED."
        SpanKind::Internal | SpanKind::Unspecified => Kind::Internal,
    }
}

fn status(raw: otlp::Status) -> Status {
    match raw.code() {
        StatusCode::Error => Status::Error(raw.message),
        StatusCode::Ok | StatusCode::Unset => Status::Unset,
    }
}

fn event(raw: otlp::span::Event) -> Event {
    Event {
        name: raw.name,
        at: raw.time_unix_nano,
        attributes: attributes(&raw.attributes),
    }
}

/// Jaeger's own notes about a span, such as that it did not adjust its clock: no service sent them.
const NOTES_OF_JAEGER: &str = "@jaeger@";

/// Attributes by name, those without a value left out; of a name that is there twice, the last wins.
pub fn attributes(raw: &[KeyValue]) -> Attributes {
    let own = raw
        .iter()
        .filter(|pair| !pair.key.starts_with(NOTES_OF_JAEGER));
    let values = own.map(|pair| (pair.key.clone(), json(pair.value.as_ref())));
    values.filter(|(_, value)| !value.is_null()).collect()
}

/// The value as Jaeger shows and compares it: strings as they are, everything else as JSON.
pub fn text(value: Option<&AnyValue>) -> String {
    match json(value) {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The value without OTLP's type wrappers; bytes become Base64 text.
///
/// Recursion is bounded: prost refuses to decode messages nested more than a hundred deep, `serde_json` 128.
pub fn json(value: Option<&AnyValue>) -> Value {
    use any_value::Value as Any;
    let Some(value) = value.and_then(|any| any.value.as_ref()) else {
        return Value::Null;
    };
    match value {
        Any::StringValue(text) => text.as_str().into(),
        Any::BoolValue(truth) => (*truth).into(),
        Any::IntValue(number) => (*number).into(),
        // JSON has no such numbers; these are the names that protobuf's JSON mapping gives them.
        Any::DoubleValue(number) if number.is_nan() => "NaN".into(),
        Any::DoubleValue(f64::INFINITY) => "Infinity".into(),
        Any::DoubleValue(f64::NEG_INFINITY) => "-Infinity".into(),
        Any::DoubleValue(number) => (*number).into(),
        Any::BytesValue(bytes) => BASE64.encode(bytes).into(),
        Any::ArrayValue(array) => array.values.iter().map(|item| json(Some(item))).collect(),
        Any::KvlistValue(list) => attributes(&list.values).into_iter().collect(),
        // Refers to a table that only profiles carry.
        Any::StringValueStrindex(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use any_value::Value as Any;
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};

    use super::*;

    const PLAIN: &str = r#"{"resourceSpans":[{"resource":{"attributes":[
        {"key":"service.name","value":{"stringValue":"orders"}}]},
        "scopeSpans":[{"scope":{"name":"x"},"spans":[{
            "traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","parentSpanId":"00f067aa0ba902b6",
            "name":"send order.created","kind":4,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000002000000",
            "attributes":[{"key":"messaging.system","value":{"stringValue":"kafka"}},{"key":"n","value":{"intValue":"3"}}],
            "links":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4737","spanId":"00f067aa0ba902b8"}],
            "status":{"code":2,"message":"broker down"}}]}]}]}"#;

    fn assert_is_the_send_span(spans: &[Span]) {
        let [span] = spans else {
            panic!("one span, not {}", spans.len())
        };
        assert_eq!(
            (span.service.as_str(), span.kind),
            ("orders", Kind::Producer)
        );
        assert_eq!(span.parent, Some("00f067aa0ba902b6".parse().unwrap()));
        assert_eq!(span.end - span.start, 2_000_000);
        assert_eq!(span.attribute("n"), Some(&Value::from(3)));
        assert_eq!(
            span.links[0].trace_id.to_string(),
            "4bf92f3577b34da6a3ce929d0e0e4737"
        );
        assert_eq!(span.status, Status::Error("broker down".into()));
    }

    #[test]
    fn reads_the_answer_of_a_current_jaeger() {
        assert_is_the_send_span(&decode(PLAIN).unwrap());
    }

    #[test]
    fn reads_the_wrapped_answer_of_jaeger_2_13() {
        assert_is_the_send_span(&decode(&format!("{{\"result\":{PLAIN}}}")).unwrap());
    }

    #[test]
    fn reads_several_objects_and_drops_spans_that_came_twice() {
        let again = format!("{{\"result\":{PLAIN}}}\n{PLAIN}");
        assert_is_the_send_span(&decode(&again).unwrap());
    }

    #[test]
    fn reports_a_stream_that_broke_off() {
        let broken = format!("{PLAIN}\n{{\"error\":{{\"message\":\"storage timeout\"}}}}");
        assert!(
            decode(&broken)
                .unwrap_err()
                .to_string()
                .contains("storage timeout")
        );
    }

    #[test]
    fn takes_an_empty_or_zero_parent_for_a_root() {
        for parent in ["", "0000000000000000"] {
            let spans = decode(&PLAIN.replace("00f067aa0ba902b6", parent)).unwrap();
            assert_eq!(spans[0].parent, None);
        }
    }

    #[test]
    fn what_jaeger_notes_about_a_span_is_no_attribute_of_it() {
        let note =
            r#""attributes":[{"key":"@jaeger@warnings","value":{"stringValue":"clock skew"}},"#;
        let noted = PLAIN.replace(
            r#""attributes":[{"key":"messaging"#,
            &format!(r#"{note}{{"key":"messaging"#),
        );
        assert_ne!(noted, PLAIN);
        let spans = decode(&noted).unwrap();
        assert_is_the_send_span(&spans);
        assert_eq!(spans[0].attribute("@jaeger@warnings"), None);
    }

    fn any(value: Any) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    #[test]
    fn writes_nested_values_as_plain_json() {
        let list = any(Any::ArrayValue(ArrayValue {
            values: vec![any(Any::IntValue(1)), any(Any::BytesValue(vec![1, 2]))],
        }));
        let map = any(Any::KvlistValue(KeyValueList {
            values: vec![KeyValue {
                key: "list".into(),
                value: Some(list),
                ..KeyValue::default()
            }],
        }));
        assert_eq!(json(Some(&map)), serde_json::json!({ "list": [1, "AQI="] }));
        assert_eq!(text(Some(&map)), r#"{"list":[1,"AQI="]}"#);
    }

    #[test]
    fn names_the_numbers_that_json_lacks() {
        let written = |number| text(Some(&any(Any::DoubleValue(number))));
        assert_eq!(written(1.5), "1.5");
        assert_eq!(written(f64::NAN), "NaN");
        assert_eq!(written(f64::NEG_INFINITY), "-Infinity");
    }

    #[test]
    fn a_missing_value_is_empty() {
        assert_eq!(text(None), "");
        assert_eq!(json(Some(&AnyValue::default())), Value::Null);
    }
}
