//! Reads the OTLP JSON of Jaeger's query API v3 into spans.

use std::collections::HashSet;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1 as otlp;
use otlp::span::SpanKind;
use otlp::status::StatusCode;
use serde::Deserialize;

use crate::span::{Attributes, Event, InvalidId, Kind, Span, SpanRef, Status, Value};

/// One JSON object of an answer.
///
/// Jaeger up to 2.13 wraps it in `result`, as its gateway does with streams; later versions do not.
/// A failure in mid-stream arrives as an object with `error`, after a status of 200.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    result: Option<Resources>,
    error: Option<serde_json::Value>,
    #[serde(default)]
    resource_spans: Vec<otlp::ResourceSpans>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resources {
    #[serde(default)]
    resource_spans: Vec<otlp::ResourceSpans>,
}

/// An answer that is not a trace.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("not OTLP JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the store stopped in the middle of the trace: {0}")]
    Interrupted(serde_json::Value),
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
            let service = service(resource.resource.unwrap_or_default().attributes);
            for raw in resource.scope_spans.into_iter().flat_map(|it| it.spans) {
                spans.push(Span::from_otlp(raw, &service)?);
            }
        }
    }
    let mut seen = HashSet::new();
    spans.retain(|span| seen.insert(span.reference()));
    Ok(spans)
}

fn service(resource: Vec<KeyValue>) -> String {
    let name = attributes(resource).remove("service.name");
    name.map_or_else(|| "unknown_service".to_owned(), |name| name.to_string())
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
            attributes: attributes(raw.attributes),
            links: raw.links.iter().filter_map(link).collect(),
            status: raw.status.map_or(Status::Unset, status),
            events: raw.events.into_iter().map(event).collect(),
        })
    }
}

/// A link to an invalid id points nowhere; the specification allows it, for its attributes.
fn link(raw: &otlp::span::Link) -> Option<SpanRef> {
    Some(SpanRef {
        trace_id: hex::encode(&raw.trace_id).parse().ok()?,
        span_id: hex::encode(&raw.span_id).parse().ok()?,
    })
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
        attributes: attributes(raw.attributes),
    }
}

/// Jaeger's own notes about a span, such as that it did not adjust its clock: no service sent them.
const NOTES_OF_JAEGER: &str = "@jaeger@";

fn attributes(raw: Vec<KeyValue>) -> Attributes {
    let present = raw
        .into_iter()
        .filter(|pair| !pair.key.starts_with(NOTES_OF_JAEGER))
        .filter_map(|pair| Some((pair.key, value(pair.value?)?)));
    present.collect()
}

fn value(raw: AnyValue) -> Option<Value> {
    Some(match raw.value? {
        any_value::Value::StringValue(text) => Value::Str(text),
        any_value::Value::IntValue(number) => Value::Int(number),
        any_value::Value::DoubleValue(number) => Value::Float(number),
        any_value::Value::BoolValue(truth) => Value::Bool(truth),
        any_value::Value::BytesValue(bytes) => Value::Str(hex::encode(bytes)),
        any_value::Value::ArrayValue(list) => {
            Value::List(list.values.into_iter().filter_map(value).collect())
        }
        // A list of `key=value`, so that nothing in it hides from the contract's search for addresses.
        any_value::Value::KvlistValue(map) => {
            let pairs = attributes(map.values).into_iter();
            let pairs = pairs.map(|(key, value)| Value::Str(format!("{key}={value}")));
            Value::List(pairs.collect())
        }
        // An index into a table that only profiles carry.
        any_value::Value::StringValueStrindex(_) => return None,
    })
}

#[cfg(test)]
mod tests {
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
        assert_eq!(span.duration().as_millis(), 2);
        assert_eq!(span.attribute("n"), Some(&Value::Int(3)));
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
}
