//! What a publisher may send: the limits of
//! <https://cloud.google.com/pubsub/quotas#resource_limits>.

use std::fmt::Display;

use crate::error::Error;
use crate::proto::PubsubMessage;

/// Bytes of all messages in one publish request, and so of one message.
pub(crate) const MAX_PUBLISH_BYTES: usize = 10_000_000;

/// Bytes that count against limits and flow control: data, attributes and ordering key.
pub(crate) fn size(message: &PubsubMessage) -> usize {
    let attributes = message.attributes.iter();
    let attributes: usize = attributes.map(|(key, value)| key.len() + value.len()).sum();
    message.data.len() + attributes + message.ordering_key.len()
}

/// Checks a whole publish request: either all of its messages are accepted or none.
pub(crate) fn check(messages: &[PubsubMessage]) -> Result<(), Error> {
    let (number, bytes) = (messages.len(), messages.iter().map(size).sum::<usize>());
    keep(
        (1..=1000).contains(&number),
        "1 to 1000 messages in a request",
        number,
    )?;
    keep(
        bytes <= MAX_PUBLISH_BYTES,
        "at most 10000000 bytes in a request",
        bytes,
    )?;
    messages.iter().try_for_each(check_one)
}

#[rustfmt::skip] // A table reads better with one row per rule.
fn check_one(message: &PubsubMessage) -> Result<(), Error> {
    let (attributes, ordering_key) = (&message.attributes, &message.ordering_key);
    keep(!message.data.is_empty() || !attributes.is_empty(), "data or at least one attribute in a message", "none")?;
    keep(attributes.len() <= 100, "at most 100 attributes in a message", attributes.len())?;
    keep(ordering_key.len() <= 1024, "at most 1024 bytes in an ordering key", ordering_key.len())?;
    for (key, value) in attributes {
        // Google's own clients put the trace context under this prefix, and the service lets it pass.
        let is_free = !key.starts_with("goog") || key.starts_with("googclient_");
        keep(is_free, "no reserved prefix (goog) in an attribute's key", key)?;
        keep((1..=256).contains(&key.len()), "1 to 256 bytes in an attribute's key", key.len())?;
        keep(value.len() <= 1024, "at most 1024 bytes in an attribute's value", format_args!("{} for {key}", value.len()))?;
    }
    Ok(())
}

/// Refuses what breaks a rule.
fn keep(holds: bool, rule: &str, found: impl Display) -> Result<(), Error> {
    let refusal = || Error::invalid(format!("There must be {rule}; this one has {found}."));
    holds.then_some(()).ok_or_else(refusal)
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
