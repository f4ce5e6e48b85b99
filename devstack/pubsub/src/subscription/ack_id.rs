//! What a client returns to settle a delivery.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::error::Error;

/// Names one delivery of one message.
///
/// The subscription's random identity keeps an id that outlived a restart of the server, or the
/// subscription, from settling some other message that happens to have the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AckId {
    pub(super) subscription: Uuid,
    pub(super) sequence: u64,
    pub(super) delivery: u32,
}

impl fmt::Display for AckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subscription = self.subscription.simple();
        write!(f, "{subscription}-{}-{}", self.sequence, self.delivery)
    }
}

impl FromStr for AckId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            Error::invalid(format!(
                "You have passed an invalid ack ID to the service (ack_id={text})."
            ))
        })
    }
}

fn parse(text: &str) -> Option<AckId> {
    let mut parts = text.split('-');
    let id = AckId {
        subscription: Uuid::try_parse(parts.next()?).ok()?,
        sequence: parts.next()?.parse().ok()?,
        delivery: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let id = AckId {
            subscription: Uuid::from_u128(7),
            sequence: 12,
            delivery: 3,
        };

        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn rejects_what_it_did_not_write() {
        for text in [
            "",
            "12",
            "x-1-1",
            &format!("{}-1-1-1", Uuid::nil().simple()),
        ] {
            assert!(text.parse::<AckId>().is_err(), "{text} was accepted");
        }
    }
}
