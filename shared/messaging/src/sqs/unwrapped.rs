use std::borrow::Cow;

use bytes::Bytes;
use otel_carriers::sqs::payload;

use crate::codec::Decode;

/// Another codec for what was published, where SNS or EventBridge stand in front of the queue: it reads SNS's message
/// without its envelope and the detail of EventBridge's event, and any other body as it is.
///
/// ```
/// use otel_messaging::{Bytes, Decode, Json, sqs::Unwrapped};
///
/// let body = r#"{"Type": "Notification", "TopicArn": "arn:aws:sns:…:orders", "Message": "{\"id\": 7}"}"#;
/// let body = Bytes::from(body);
/// let event: serde_json::Value = Unwrapped(Json).decode(Some(&body)).unwrap();
/// assert_eq!(event["id"], 7);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unwrapped<C>(pub C);

impl<E, C: Decode<E>> Decode<E> for Unwrapped<C> {
    fn decode(&self, body: Option<&Bytes>) -> anyhow::Result<E> {
        let unwrapped = body.and_then(unwrap);
        self.0.decode(unwrapped.as_ref().or(body))
    }
}

fn unwrap(body: &Bytes) -> Option<Bytes> {
    let unwrapped = match payload(std::str::from_utf8(body).ok()?) {
        Cow::Borrowed(part) => body.slice_ref(part.as_bytes()),
        Cow::Owned(text) => text.into(),
    };
    Some(unwrapped)
}
