//! OTLP/JSON as SDKs write it, made into what `opentelemetry-proto` reads.
//!
//! That crate's `serde` support is close to the protobuf JSON mapping, but stricter than real senders are:
//! it refuses `null`, enum names, an empty `arrayValue` or `kvlistValue`, an attribute without a key,
//! an entity reference without all of its fields, non-finite doubles, and whole numbers beyond 64 bits,
//! and it ignores the original (`snake_case`) field names that the mapping lets parsers accept.
//! Unknown fields it ignores, as OTLP asks.

use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Reads an export request.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    // Read as an object, since `serde` would take an array for a message as well.
    let mut message = Value::Object(serde_json::from_slice(body)?);
    mend(&mut message);
    serde_json::from_value(message)
}

/// Object keys in OTLP are field names only, never somebody's data, so renaming them loses nothing.
///
/// Recursion is bounded, because `serde_json` refuses input nested more than 128 deep.
fn mend(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mend),
        Value::Object(fields) => {
            *fields = std::mem::take(fields)
                .into_iter()
                .filter_map(mend_field)
                .collect();
            mend_double(fields);
            mend_integer(fields);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `None` for a `null`, which in the protobuf JSON mapping is the same as nothing.
fn mend_field((name, mut value): (String, Value)) -> Option<(String, Value)> {
    if value.is_null() {
        return None;
    }
    let name = camel_case(name);
    mend(&mut value);
    match name.as_str() {
        "arrayValue" | "kvlistValue" => fill(&mut value, &[("values", json!([]))]),
        "attributes" => fill_each(&mut value, &[("key", json!(""))]),
        "values" => fill_each_attribute(&mut value),
        "entityRefs" => fill_each(&mut value, &entity_ref_defaults()),
        "kind" | "code" | "severityNumber" | "aggregationTemporality" => mend_enum(&mut value),
        _ => {}
    }
    Some((name, value))
}

fn camel_case(name: String) -> String {
    if !name.contains('_') {
        return name;
    }
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
        camel
    })
}

fn fill(value: &mut Value, defaults: &[(&str, Value)]) {
    if let Value::Object(fields) = value {
        for (name, default) in defaults {
            fields.entry(*name).or_insert_with(|| default.clone());
        }
    }
}

fn fill_each(value: &mut Value, defaults: &[(&str, Value)]) {
    for item in value.as_array_mut().into_iter().flatten() {
        fill(item, defaults);
    }
}

/// `values` holds attributes in a `kvlistValue` and plain values in an `arrayValue`; only the former have a `value`.
fn fill_each_attribute(value: &mut Value) {
    for item in value.as_array_mut().into_iter().flatten() {
        if item.get("value").is_some() {
            fill(item, &[("key", json!(""))]);
        }
    }
}

fn entity_ref_defaults() -> [(&'static str, Value); 4] {
    [
        ("schemaUrl", json!("")),
        ("type", json!("")),
        ("idKeys", json!([])),
        ("descriptionKeys", json!([])),
    ]
}

/// OTLP wants numbers, the protobuf JSON mapping writes names; their prefixes tell the enums apart.
fn mend_enum(value: &mut Value) {
    let Some(name) = value.as_str() else { return };
    let kind = SpanKind::from_str_name(name).map(i32::from);
    let code = || StatusCode::from_str_name(name).map(i32::from);
    let severity = || SeverityNumber::from_str_name(name).map(i32::from);
    let temporality = || AggregationTemporality::from_str_name(name).map(i32::from);
    if let Some(number) = kind.or_else(code).or_else(severity).or_else(temporality) {
        *value = json!(number);
    }
}

/// Doubles may be strings in the protobuf JSON mapping.
/// A JSON value cannot hold the three non-finite ones, so those stay as text.
fn mend_double(fields: &mut Map<String, Value>) {
    let Some(Value::String(text)) = fields.get("doubleValue") else {
        return;
    };
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => fields.insert("doubleValue".into(), json!(number)),
        Ok(_) => {
            let text = fields.remove("doubleValue").unwrap_or_default();
            fields.insert("stringValue".into(), text)
        }
        Err(_) => None,
    };
}

/// JavaScript has one type of number, and its SDK calls every whole one an integer, `1e300` included.
/// Refusing it would lose all spans of the request for one attribute.
fn mend_integer(fields: &mut Map<String, Value>) {
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
    fn reads_original_field_names_enum_names_and_nulls() {
        let span = decode_span(&json!({
            "trace_id": TRACE.to_uppercase(), "parent_span_id": null, "name": "send", "kind": "SPAN_KIND_PRODUCER",
            "start_time_unix_nano": "7", "status": { "code": "STATUS_CODE_ERROR" }, "links": null,
        }));
        assert_eq!(
            (span.kind(), span.start_time_unix_nano),
            (SpanKind::Producer, 7)
        );
        assert_eq!(span.status.unwrap().code(), StatusCode::Error);
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
            decode_value(&json!({ "doubleValue": "2.5" })),
            Some(Any::DoubleValue(2.5))
        );
        assert_eq!(
            decode_value(&json!({ "doubleValue": "NaN" })),
            Some(Any::StringValue("NaN".into()))
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
    fn reads_attributes_without_a_key_and_partial_entity_references() {
        let span = decode_span(&json!({ "attributes": [
            { "value": { "stringValue": "v" } },
            { "key": "map", "value": { "kvlistValue": { "values": [{ "value": { "boolValue": true } }] } } },
        ] }));
        assert_eq!(span.attributes.len(), 2);
        let body =
            json!({ "resourceSpans": [{ "resource": { "entityRefs": [{ "type": "service" }] } }] });
        let request: ExportTraceServiceRequest = decode(body.to_string().as_bytes()).unwrap();
        assert_eq!(
            request.resource_spans[0]
                .resource
                .as_ref()
                .unwrap()
                .entity_refs[0]
                .r#type,
            "service"
        );
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
