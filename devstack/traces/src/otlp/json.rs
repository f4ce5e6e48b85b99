//! OTLP/JSON as the SDKs write it, made into what `opentelemetry-proto` reads.
//!
//! That crate's `serde` support refuses `null`, an empty `arrayValue` or `kvlistValue`, and whole numbers beyond 64 bits,
//! all of which are sent.
//! Unknown fields it ignores, as OTLP asks.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Reads an export request.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    // Read as an object, since `serde` would take an array for a message as well.
    let mut fields = serde_json::from_slice(body)?;
    mend_fields(&mut fields);
    serde_json::from_value(Value::Object(fields))
}

/// Recursion is bounded, because `serde_json` refuses input nested more than 128 deep.
fn mend(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mend),
        Value::Object(fields) => mend_fields(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A field that is `null` is the same as none in the protobuf JSON mapping.
fn mend_fields(fields: &mut Map<String, Value>) {
    fields.retain(|_, value| !value.is_null());
    fields.values_mut().for_each(mend);
    for name in ["arrayValue", "kvlistValue"] {
        if let Some(Value::Object(list)) = fields.get_mut(name) {
            list.entry("values").or_insert_with(|| json!([]));
        }
    }
    // JavaScript has one type of number, and its SDK calls every whole one an integer, `1e300` included.
    // Refusing it would lose all spans of the request for one attribute.
    let is_double = |value: &Value| value.is_number() && value.as_i64().is_none();
    if fields.get("intValue").is_some_and(is_double) {
        let number = fields.remove("intValue").unwrap_or_default();
        fields.insert("doubleValue".into(), number);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};
    use opentelemetry_proto::tonic::trace::v1::Span;

    use super::*;

    const TRACE: &str = "5b8efff798038103d269b633813fc60c";

    fn decode_span(span: &Value) -> Span {
        let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] });
        let request: ExportTraceServiceRequest = decode(body.to_string().as_bytes()).unwrap();
        request.resource_spans[0].scope_spans[0].spans[0].clone()
    }

    fn decode_value(value: &Value) -> Option<Any> {
        let span = decode_span(&json!({ "attributes": [{ "key": "k", "value": value }] }));
        span.attributes[0].value.clone().and_then(|any| any.value)
    }

    #[test]
    fn reads_numbers_as_text_and_as_numbers() {
        for (start, integer) in [
            (json!("1700000000000000001"), json!("5")),
            (json!(1_700_000_000_000_000_001_u64), json!(5)),
        ] {
            let span = decode_span(&json!({
                "traceId": TRACE, "startTimeUnixNano": start, "attributes": [{ "key": "n", "value": { "intValue": integer } }],
            }));
            assert_eq!(span.start_time_unix_nano, 1_700_000_000_000_000_001);
            assert_eq!(
                span.attributes[0].value.as_ref().unwrap().value,
                Some(Any::IntValue(5))
            );
            assert_eq!(span.trace_id.len(), 16);
        }
    }

    #[test]
    fn takes_null_for_nothing() {
        let span = decode_span(&json!({
            "traceId": TRACE.to_uppercase(), "parentSpanId": null, "name": "send", "links": null,
        }));
        assert_eq!(span.trace_id[0], 0x5b);
        assert!(span.parent_span_id.is_empty());
    }

    #[test]
    fn ignores_fields_it_does_not_know() {
        let span = decode_span(
            &json!({ "name": "send", "fromTheFuture": { "a": [1] }, "status": { "deprecatedCode": 3 } }),
        );
        assert_eq!(span.name, "send");
    }

    #[test]
    fn reads_values_in_every_notation() {
        assert_eq!(
            decode_value(&json!({ "doubleValue": 2 })),
            Some(Any::DoubleValue(2.0))
        );
        assert_eq!(
            decode_value(&json!({ "bytesValue": "AQI=" })),
            Some(Any::BytesValue(vec![1, 2]))
        );
        assert_eq!(
            decode_value(&json!({ "arrayValue": {} })),
            Some(Any::ArrayValue(ArrayValue::default()))
        );
        assert_eq!(
            decode_value(&json!({ "kvlistValue": {} })),
            Some(Any::KvlistValue(KeyValueList::default()))
        );
        assert_eq!(decode_value(&json!({})), None);
        assert_eq!(decode_value(&json!(null)), None);
    }

    #[test]
    fn reads_a_whole_number_beyond_64_bits_as_a_double() {
        for (written, read) in [
            (json!(1e300), Any::DoubleValue(1e300)),
            (
                json!(u64::MAX),
                Any::DoubleValue(18_446_744_073_709_551_615.0),
            ),
            (json!(i64::MIN), Any::IntValue(i64::MIN)),
        ] {
            assert_eq!(decode_value(&json!({ "intValue": written })), Some(read));
        }
    }

    #[test]
    fn refuses_what_is_not_an_export() {
        let refuse = |body: &str| decode::<ExportTraceServiceRequest>(body.as_bytes()).unwrap_err();
        refuse("");
        refuse("[1");
        refuse(r#"{"resourceSpans":7}"#);
        refuse(r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}"#);
        refuse(&"[".repeat(100_000));
    }
}
