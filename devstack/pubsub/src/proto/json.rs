//! Where proto3 JSON differs from what serde would write: bytes, times and field masks are strings.

use prost_types::FieldMask;
use serde::{Deserialize, Deserializer};

/// Proto3 JSON leaves out numbers that are zero.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
pub(super) fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// `Timestamp` as RFC 3339 and `Duration` as `3.5s`: both types print and parse these themselves.
pub(super) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::ref_option, reason = "the signature is serde's")]
    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        Option::<String>::deserialize(deserializer)?
            .map(|text| text.parse().map_err(Error::custom))
            .transpose()
    }
}

/// Bytes as base64. Readers of proto3 JSON accept both alphabets, with or without padding.
pub(super) mod base64 {
    use ::base64::Engine;
    use ::base64::alphabet::{STANDARD, URL_SAFE};
    use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    use bytes::Bytes;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
    const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, CONFIG);

    pub(crate) fn serialize<S: Serializer>(data: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&PLAIN.encode(data))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Bytes, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        let engine = if text.contains(['-', '_']) {
            URL
        } else {
            PLAIN
        };
        engine
            .decode(text)
            .map(Bytes::from)
            .map_err(D::Error::custom)
    }
}

/// A field mask is `"ackDeadlineSeconds,retryPolicy.minimumBackoff"` in JSON and snake case inside.
pub(super) fn field_mask<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<FieldMask>, D::Error> {
    let mask = Option::<String>::deserialize(deserializer)?;
    Ok(mask.map(|mask| FieldMask {
        paths: mask
            .split(',')
            .map(snake_case)
            .filter(|path| !path.is_empty())
            .collect(),
    }))
}

fn snake_case(path: &str) -> String {
    let mut snake = String::with_capacity(path.len());
    for letter in path.trim().chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::proto::{PubsubMessage, SeekRequest, Subscription, UpdateSubscriptionRequest};

    #[test]
    fn a_message_has_its_data_in_base64_and_its_time_in_rfc_3339() {
        let text = json!({
            "data": "aGVsbG8=",
            "attributes": {"colour": ""},
            "messageId": "7",
            "publishTime": "2026-11-21T07:00:00.500Z",
        });

        let message: PubsubMessage = serde_json::from_value(text.clone()).unwrap();

        assert_eq!(message.data, "hello");
        let written = serde_json::to_value(&message).unwrap();
        assert_eq!(written["data"], text["data"]);
        assert_eq!(written["attributes"], text["attributes"]);
        let again: PubsubMessage = serde_json::from_value(written).unwrap();
        assert_eq!(again, message);
    }

    #[test]
    fn data_may_use_the_alphabet_for_addresses_and_no_padding() {
        let message: PubsubMessage = serde_json::from_value(json!({"data": "-_8"})).unwrap();

        assert_eq!(message.data.as_ref(), [0xfb, 0xff]);
    }

    #[test]
    fn a_field_mask_names_fields_in_camel_case() {
        let request: UpdateSubscriptionRequest = serde_json::from_value(json!({
            "subscription": {"ackDeadlineSeconds": 20},
            "updateMask": "ackDeadlineSeconds,labels",
        }))
        .unwrap();

        assert_eq!(
            request.update_mask.unwrap().paths,
            ["ack_deadline_seconds", "labels"]
        );
    }

    #[test]
    fn a_duration_is_text_that_ends_in_s() {
        let subscription: Subscription = serde_json::from_value(json!({
            "retryPolicy": {"minimumBackoff": "0.5s", "maximumBackoff": "600s"},
        }))
        .unwrap();

        let policy = subscription.retry_policy.unwrap();
        assert_eq!(policy.minimum_backoff.unwrap().nanos, 500_000_000);
        assert_eq!(policy.maximum_backoff.unwrap().seconds, 600);
    }

    #[test]
    fn a_time_that_is_none_is_refused() {
        let request = serde_json::from_value::<SeekRequest>(json!({"time": "yesterday"}));

        assert!(request.is_err());
    }
}
