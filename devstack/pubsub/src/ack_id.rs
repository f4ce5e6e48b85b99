//! What a client returns to settle a delivery.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::error::Error;

/// Names one delivery of one message.
///
/// The delivery's identity is random, so that an id which outlived a restart of the server, or the
/// subscription, settles no other message that happens to have the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AckId {
    pub(crate) sequence: u64,
    pub(crate) delivery: Uuid,
}

impl fmt::Display for AckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sequence, self.delivery.simple())
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
    let (sequence, delivery) = text.split_once('-')?;
    Some(AckId {
        sequence: sequence.parse().ok()?,
        delivery: Uuid::try_parse(delivery).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let id = AckId {
            sequence: 12,
            delivery: Uuid::from_u128(7),
        };

        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn rejects_what_it_did_not_write() {
        let twice = format!("1-{0}-{0}", Uuid::nil().simple());
        for text in ["", "12", "1-1", "x-1", &twice] {
            assert!(text.parse::<AckId>().is_err(), "{text} was accepted");
        }
    }
}
