//! OTLP attribute values as text and as plain JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::{Map, Number, Value as Json};

/// The value as Jaeger shows and compares it: strings as they are, everything else as JSON.
pub(crate) fn text(value: Option<&AnyValue>) -> String {
    match json(value) {
        Json::String(text) => text,
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// The value without OTLP's type wrappers; bytes become Base64 text.
///
/// Recursion is bounded: prost refuses to decode messages nested more than a hundred deep, `serde_json` 128.
pub(crate) fn json(value: Option<&AnyValue>) -> Json {
    let Some(value) = value.and_then(|any| any.value.as_ref()) else {
        return Json::Null;
    };
    match value {
        Value::StringValue(text) => Json::from(text.as_str()),
        Value::BoolValue(truth) => Json::from(*truth),
        Value::IntValue(number) => Json::from(*number),
        Value::DoubleValue(number) => double(*number),
        Value::BytesValue(bytes) => Json::from(BASE64.encode(bytes)),
        Value::ArrayValue(array) => array.values.iter().map(|item| json(Some(item))).collect(),
        Value::KvlistValue(list) => Json::Object(object(&list.values)),
        // Refers to a table that only profiles carry.
        Value::StringValueStrindex(_) => Json::Null,
    }
}

/// Attributes as one flat JSON object; of a key that is there twice, the last wins.
pub(crate) fn object(attributes: &[KeyValue]) -> Map<String, Json> {
    let entry = |pair: &KeyValue| (pair.key.clone(), json(pair.value.as_ref()));
    attributes.iter().map(entry).collect()
}

fn double(number: f64) -> Json {
    Number::from_f64(number).map_or_else(|| Json::from(non_finite(number)), Json::Number)
}

/// JSON has no such numbers; these are the names protobuf's JSON mapping gives them.
pub(crate) fn non_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};
    use serde_json::json;

    use super::*;

    fn any(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    #[test]
    fn writes_nested_values_as_plain_json() {
        let list = any(Value::ArrayValue(ArrayValue {
            values: vec![any(Value::IntValue(1)), any(Value::BytesValue(vec![1, 2]))],
        }));
        let map = any(Value::KvlistValue(KeyValueList {
            values: vec![KeyValue {
                key: "list".into(),
                value: Some(list),
                ..KeyValue::default()
            }],
        }));
        assert_eq!(super::json(Some(&map)), json!({ "list": [1, "AQI="] }));
        assert_eq!(text(Some(&map)), r#"{"list":[1,"AQI="]}"#);
    }

    #[test]
    fn names_the_numbers_that_json_lacks() {
        let written = |number| text(Some(&any(Value::DoubleValue(number))));
        assert_eq!(written(1.5), "1.5");
        assert_eq!(written(f64::NAN), "NaN");
        assert_eq!(written(f64::NEG_INFINITY), "-Infinity");
    }

    #[test]
    fn a_missing_value_is_empty() {
        assert_eq!(text(None), "");
        assert_eq!(super::json(Some(&AnyValue::default())), Json::Null);
    }
}
