//! What FIFO queues have and standard queues have not: some attributes, and what they ask of a message.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fifo-queues.html>

use crate::{error::Error, limits, settings::QueueAttributes};

/// Ends the name of every FIFO queue, and of no other.
pub(crate) const SUFFIX: &str = ".fifo";

pub(crate) const ATTRIBUTES: [&str; 4] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoQueue",
    "FifoThroughputLimit",
];

const BOOLEANS: [&str; 2] = ["false", "true"];
const SCOPES: [&str; 2] = ["queue", "messageGroup"];
const LIMITS: [&str; 2] = ["perQueue", "perMessageGroupId"];

/// The settings of a FIFO queue; the defaults are those of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fifo {
    /// A message without a deduplication id gets one that is made of its body.
    pub(crate) content_based: bool,
    /// Messages of different groups may have the same deduplication id.
    pub(crate) deduplicates_per_group: bool,
    /// Kept and given back, without effect: there are no rate limits here.
    limited_per_group: bool,
}

impl Fifo {
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        match name {
            "ContentBasedDeduplication" => self.content_based = is_second(name, value, BOOLEANS)?,
            "DeduplicationScope" => self.deduplicates_per_group = is_second(name, value, SCOPES)?,
            "FifoThroughputLimit" => self.limited_per_group = is_second(name, value, LIMITS)?,
            "FifoQueue" if value == "true" => {}
            "FifoQueue" => {
                return Err(Error::InvalidAttributeValue(
                    "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
                        .to_owned(),
                ));
            }
            _ => return Err(Error::InvalidAttributeName(name.to_owned())),
        }
        Ok(())
    }

    /// Refuses settings that are valid alone and not together.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.limited_per_group && !self.deduplicates_per_group {
            return Err(Error::InvalidAttributeValue(
                "Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId value \
                 is allowed only when the value for DeduplicationScope is messageGroup."
                    .to_owned(),
            ));
        }
        Ok(())
    }

    pub(crate) fn attributes(&self) -> QueueAttributes {
        let content_based = BOOLEANS[usize::from(self.content_based)];
        let scope = SCOPES[usize::from(self.deduplicates_per_group)];
        let limit = LIMITS[usize::from(self.limited_per_group)];
        let values = [content_based, scope, "true", limit];
        let pairs = ATTRIBUTES.into_iter().zip(values);
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Refuses a message that lacks what this queue needs to order it and to know it again.
    pub(crate) fn require_ids(
        &self,
        group_id: Option<&str>,
        deduplication_id: Option<&str>,
    ) -> Result<(), Error> {
        group_id.ok_or(Error::MissingParameter("MessageGroupId"))?;
        if deduplication_id.is_none() && !self.content_based {
            return Err(Error::InvalidParameterValue(
                "The queue should either have ContentBasedDeduplication enabled or \
                 MessageDeduplicationId provided explicitly"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// Whether `value` is the second of the two values that an attribute may have.
fn is_second(name: &str, value: &str, allowed: [&str; 2]) -> Result<bool, Error> {
    let index = allowed.iter().position(|allowed| *allowed == value);
    index.map(|index| index == 1).ok_or_else(|| {
        Error::InvalidAttributeValue(format!("Invalid value for the parameter {name}."))
    })
}

/// Refuses what cannot be the id of a message group, or a deduplication id.
pub(crate) fn check_id(parameter: &str, id: &str) -> Result<(), Error> {
    let allowed = 1..=limits::MAX_MESSAGE_ID;
    if allowed.contains(&id.len()) && id.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::InvalidParameterValue(format!(
        "Value {id} for parameter {parameter} is invalid. Reason: {parameter} can only include \
         alphanumeric and punctuation characters. 1 to 128 in length."
    )))
}

/// The refusal of a parameter that only the other kind of queue takes.
pub(crate) fn wrong_kind(parameter: &str, value: impl std::fmt::Display) -> Error {
    Error::InvalidParameterValue(format!(
        "Value {value} for parameter {parameter} is invalid. \
         Reason: The request include parameter that is not valid for this queue type"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fifo(attributes: &[(&str, &str)]) -> Result<Fifo, Error> {
        let mut fifo = Fifo::default();
        for (name, value) in attributes {
            fifo.set(name, value)?;
        }
        fifo.check().map(|()| fifo)
    }

    #[test]
    fn gives_back_what_was_set() {
        let high_throughput = [
            ("ContentBasedDeduplication", "true"),
            ("DeduplicationScope", "messageGroup"),
            ("FifoThroughputLimit", "perMessageGroupId"),
        ];
        let attributes = fifo(&high_throughput).unwrap().attributes();
        for (name, value) in high_throughput {
            assert_eq!(attributes[name], value);
        }
    }

    #[test]
    fn a_limit_per_group_needs_deduplication_per_group() {
        let error = fifo(&[("FifoThroughputLimit", "perMessageGroupId")]).unwrap_err();
        assert!(matches!(error, Error::InvalidAttributeValue(_)));
        assert!(fifo(&[("DeduplicationScope", "messageGroup")]).is_ok());
        assert!(fifo(&[("DeduplicationScope", "everything")]).is_err());
    }

    #[test]
    fn ids_are_printable_and_at_most_128_long() {
        assert!(check_id("MessageGroupId", "order-7:a/b~!").is_ok());
        assert!(check_id("MessageGroupId", &"a".repeat(128)).is_ok());
        for id in ["", "a b", "ü", "\t", &"a".repeat(129)] {
            assert!(check_id("MessageGroupId", id).is_err(), "{id:?}");
        }
    }
}
