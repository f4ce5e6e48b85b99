//! The limits of Amazon SQS, as its quota pages state them, and the refusals of what lies outside.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html>

use crate::error::Error;

/// Bytes of one message and of one batch: body, and the names, types and values of its attributes.
pub(crate) const MAX_MESSAGE_BYTES: usize = 1_048_576;

/// Message attributes on one message.
pub(crate) const MAX_MESSAGE_ATTRIBUTES: usize = 10;

/// Characters in the name, and in the data type, of a message attribute.
pub(crate) const MAX_ATTRIBUTE_NAME: usize = 256;

/// Messages of one queue that were received and neither deleted nor returned.
pub(crate) const MAX_IN_FLIGHT: usize = 120_000;

/// Entries of one batch request.
pub(crate) const MAX_BATCH_ENTRIES: usize = 10;

/// Characters in the name of a queue, and in the id of a batch entry.
pub(crate) const MAX_NAME: usize = 80;

/// Characters in the id of a message group, and in a deduplication id.
const MAX_MESSAGE_ID: usize = 128;

/// Seconds for which a FIFO queue takes a message with the same deduplication id for the same message.
pub(crate) const DEDUPLICATION_SECONDS: u64 = 300;

pub(crate) const MESSAGES_PER_RECEIVE: Range = Range::new("MaxNumberOfMessages", 1, 10);
pub(crate) const DELAY_SECONDS: Range = Range::new("DelaySeconds", 0, 900);
pub(crate) const WAIT_TIME_SECONDS: Range = Range::new("WaitTimeSeconds", 0, 20);
pub(crate) const VISIBILITY_TIMEOUT: Range = Range::new("VisibilityTimeout", 0, 43_200);
pub(crate) const MAX_RECEIVE_COUNT: Range = Range::new("maxReceiveCount", 1, 1_000);

/// The numbers that a parameter takes.
pub(crate) struct Range {
    parameter: &'static str,
    least: u64,
    pub(crate) most: u64,
}

impl Range {
    const fn new(parameter: &'static str, least: u64, most: u64) -> Self {
        Self {
            parameter,
            least,
            most,
        }
    }

    /// The value of the parameter, which lies in the range if it is there.
    pub(crate) fn check(&self, value: Option<impl Into<i128>>) -> Result<Option<u64>, Error> {
        let Some(value) = value.map(Into::into) else {
            return Ok(None);
        };
        let (parameter, least, most) = (self.parameter, self.least, self.most);
        match u64::try_from(value) {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Error::InvalidParameterValue(format!(
                "Value {value} for parameter {parameter} is invalid. Reason: Must be >= {least} and <= {most}, if provided."
            ))),
        }
    }
}

/// The refusal of a message over [`MAX_MESSAGE_BYTES`].
pub(crate) fn too_long() -> Error {
    Error::InvalidParameterValue(format!(
        "One or more parameters are invalid. Reason: Message must be shorter than {MAX_MESSAGE_BYTES} bytes."
    ))
}

/// Refuses characters that XML 1.0 has no way to write, as SQS does in bodies and attribute values.
/// <https://www.w3.org/TR/REC-xml/#charsets>
pub(crate) fn check_characters(text: &str) -> Result<(), Error> {
    let allowed = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    let is_valid = text.chars().all(allowed);
    is_valid.then_some(()).ok_or(Error::InvalidMessageContents)
}

/// Whether `name` may name a queue or a batch entry: letters, digits, hyphens, underscores, at most 80.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(allowed)
}

/// Refuses what cannot be the id of a message group, or a deduplication id.
pub(crate) fn check_message_id(parameter: &str, id: Option<&str>) -> Result<(), Error> {
    let Some(id) = id else { return Ok(()) };
    if (1..=MAX_MESSAGE_ID).contains(&id.len()) && id.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::InvalidParameterValue(format!(
        "Value {id} for parameter {parameter} is invalid. Reason: {parameter} can only include \
         alphanumeric and punctuation characters. 1 to 128 in length."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_control_characters_and_non_characters() {
        for text in ["\0", "a\u{1f}", "\u{fffe}", "\u{ffff}"] {
            assert!(check_characters(text).is_err(), "{text:?}");
        }
        assert!(check_characters("tab\t line\r\n ü \u{fffd} 😀").is_ok());
    }

    #[test]
    fn knows_the_names_that_aws_knows() {
        assert!(is_name("classification-jobs_1"));
        assert!(is_name(&"a".repeat(80)));
        for name in ["", "a b", "jobs.fifo", "ü", &"a".repeat(81)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn ids_are_printable_and_at_most_128_long() {
        let check = |id: &str| check_message_id("MessageGroupId", Some(id));
        assert!(check("order-7:a/b~!").is_ok());
        assert!(check(&"a".repeat(128)).is_ok());
        for id in ["", "a b", "ü", "\t", &"a".repeat(129)] {
            assert!(check(id).is_err(), "{id:?}");
        }
    }
}
