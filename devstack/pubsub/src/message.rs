//! What a publisher may send: the limits of
//! <https://cloud.google.com/pubsub/quotas#resource_limits>.

use crate::error::Error;
use crate::proto::PubsubMessage;

/// Attributes of one message.
const MAX_ATTRIBUTES: usize = 100;
/// Bytes of an attribute's key.
const MAX_KEY_BYTES: usize = 256;
/// Bytes of an attribute's value.
const MAX_VALUE_BYTES: usize = 1024;
/// Bytes of an ordering key.
const MAX_ORDERING_KEY_BYTES: usize = 1024;
/// Keys that begin so belong to the service.
const RESERVED_PREFIX: &str = "goog";
/// Messages in one publish request.
const MAX_MESSAGES: usize = 1000;
/// Bytes of all messages in one publish request, and so of one message.
pub(crate) const MAX_PUBLISH_BYTES: usize = 10_000_000;

/// Bytes that count against limits and flow control: data, attributes and ordering key.
pub(crate) fn size(message: &PubsubMessage) -> usize {
    let attributes: usize = message
        .attributes
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    message.data.len() + attributes + message.ordering_key.len()
}

/// Checks a whole publish request: either all of its messages are accepted or none.
pub(crate) fn check(messages: &[PubsubMessage]) -> Result<(), Error> {
    let number = messages.len();
    require((1..=MAX_MESSAGES).contains(&number), || {
        format!("A publish request has 1 to {MAX_MESSAGES} messages; this one has {number}.")
    })?;
    let bytes: usize = messages.iter().map(size).sum();
    require(bytes <= MAX_PUBLISH_BYTES, || {
        format!("The request's messages are {bytes} bytes; the limit is {MAX_PUBLISH_BYTES}.")
    })?;
    messages.iter().try_for_each(check_one)
}

fn check_one(message: &PubsubMessage) -> Result<(), Error> {
    let attributes = &message.attributes;
    require(!message.data.is_empty() || !attributes.is_empty(), || {
        "A message must have data or at least one attribute.".to_owned()
    })?;
    let number = attributes.len();
    require(number <= MAX_ATTRIBUTES, || {
        format!("A message has at most {MAX_ATTRIBUTES} attributes; this one has {number}.")
    })?;
    require(message.ordering_key.len() <= MAX_ORDERING_KEY_BYTES, || {
        format!("An ordering key has at most {MAX_ORDERING_KEY_BYTES} bytes.")
    })?;
    let mut attributes = attributes.iter();
    attributes.try_for_each(|(key, value)| check_attribute(key, value))
}

fn check_attribute(key: &str, value: &str) -> Result<(), Error> {
    let bytes = key.len();
    require((1..=MAX_KEY_BYTES).contains(&bytes), || {
        format!("An attribute's key has 1 to {MAX_KEY_BYTES} bytes; this one has {bytes}.")
    })?;
    let reserved = key.starts_with(RESERVED_PREFIX) && !is_written_by_clients(key);
    require(!reserved, || {
        format!("Attribute keys that begin with '{RESERVED_PREFIX}' are reserved (key={key}).")
    })?;
    let bytes = value.len();
    require(bytes <= MAX_VALUE_BYTES, || {
        format!(
            "An attribute's value has at most {MAX_VALUE_BYTES} bytes (key={key}, bytes={bytes})."
        )
    })
}

fn require(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::invalid(reason()))
    }
}

/// Google's own clients put the trace context under this prefix, and the service lets it pass.
fn is_written_by_clients(key: &str) -> bool {
    key.starts_with("googclient_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_attribute(key: &str, value: &str) -> PubsubMessage {
        PubsubMessage {
            attributes: [(key.to_owned(), value.to_owned())].into(),
            ..PubsubMessage::default()
        }
    }

    fn with_data(bytes: usize) -> PubsubMessage {
        PubsubMessage {
            data: vec![b'x'; bytes].into(),
            ..PubsubMessage::default()
        }
    }

    #[test]
    fn accepts_everything_at_its_limit() {
        let mut full = with_data(10);
        full.attributes = (0..100)
            .map(|n| (format!("key-{n}"), String::new()))
            .collect();
        full.ordering_key = "k".repeat(1024);

        assert_eq!(check(&[full]), Ok(()));
        assert_eq!(
            check(&[with_attribute(&"k".repeat(256), &"v".repeat(1024))]),
            Ok(())
        );
        assert_eq!(check(&[with_data(10_000_000)]), Ok(()));
        assert_eq!(check(&vec![with_data(1); 1000]), Ok(()));
    }

    #[test]
    fn rejects_everything_over_its_limit() {
        let mut crowded = with_data(1);
        crowded.attributes = (0..101)
            .map(|n| (format!("key-{n}"), String::new()))
            .collect();
        let mut keyed = with_data(1);
        keyed.ordering_key = "k".repeat(1025);

        for message in [
            crowded,
            keyed,
            with_attribute(&"k".repeat(257), "v"),
            with_attribute("key", &"v".repeat(1025)),
            with_attribute("", "v"),
            with_attribute("google", "v"),
            with_data(10_000_001),
            PubsubMessage::default(),
        ] {
            assert!(matches!(check(&[message]), Err(Error::InvalidArgument(_))));
        }
        assert!(check(&vec![with_data(1); 1001]).is_err());
        assert!(check(&[]).is_err());
    }

    #[test]
    fn lets_the_trace_context_of_other_clients_pass() {
        assert_eq!(
            check(&[with_attribute("googclient_traceparent", "00-…")]),
            Ok(())
        );
    }

    #[test]
    fn one_bad_message_refuses_the_whole_request() {
        assert!(check(&[with_data(1), PubsubMessage::default()]).is_err());
    }
}
