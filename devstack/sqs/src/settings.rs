//! The attributes of a queue that its creator can set.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>

use std::{collections::BTreeMap, ops::RangeInclusive};

use crate::{error::Error, limits, redrive::RedrivePolicy};

/// Ends the name of every FIFO queue, and of no other.
pub(crate) const FIFO_SUFFIX: &str = ".fifo";

/// Attributes as they travel: names and texts.
pub(crate) type QueueAttributes = BTreeMap<String, String>;

/// What the creator of a queue decided; the defaults are those of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) delay_seconds: u64,
    pub(crate) maximum_message_size: u64,
    pub(crate) retention_seconds: u64,
    pub(crate) wait_time_seconds: u64,
    pub(crate) visibility_timeout: u64,
    pub(crate) redrive: Option<RedrivePolicy>,
    pub(crate) is_fifo: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delay_seconds: 0,
            maximum_message_size: limits::MAX_MESSAGE_BYTES,
            retention_seconds: 345_600,
            wait_time_seconds: 0,
            visibility_timeout: 30,
            redrive: None,
            is_fifo: false,
        }
    }
}

impl Settings {
    /// What `attributes` make of a new queue.
    pub(crate) fn of_new_queue(name: &str, attributes: &QueueAttributes) -> Result<Self, Error> {
        let is_fifo = attributes.get("FifoQueue").is_some_and(|is| is == "true");
        check_queue_name(name, is_fifo)?;
        let defaults = Self {
            is_fifo,
            ..Self::default()
        };
        defaults.with(attributes)
    }

    /// These settings with `attributes` changed.
    pub(crate) fn with(&self, attributes: &QueueAttributes) -> Result<Self, Error> {
        let mut changed = self.clone();
        for (name, value) in attributes {
            changed.set(name, value)?;
        }
        Ok(changed)
    }

    #[rustfmt::skip] // A table reads better with one row per attribute.
    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        match name {
            "DelaySeconds" => self.delay_seconds = number(name, value, &limits::DELAY_SECONDS)?,
            "MaximumMessageSize" => self.maximum_message_size = number(name, value, &limits::MAXIMUM_MESSAGE_SIZE)?,
            "MessageRetentionPeriod" => self.retention_seconds = number(name, value, &limits::RETENTION_SECONDS)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait_time_seconds = number(name, value, &limits::WAIT_TIME_SECONDS)?,
            "VisibilityTimeout" => self.visibility_timeout = number(name, value, &limits::VISIBILITY_TIMEOUT)?,
            "RedrivePolicy" => self.redrive = RedrivePolicy::parse(value)?,
            // On a standard queue AWS calls it unknown, even if it is false.
            "FifoQueue" if self.is_fifo && value == "true" => {}
            _ => return Err(Error::InvalidAttributeName(name.to_owned())),
        }
        Ok(())
    }

    /// All attributes that have a value, as they travel.
    pub(crate) fn attributes(&self) -> QueueAttributes {
        let number = |number: u64| Some(number.to_string());
        let attributes = [
            ("DelaySeconds", number(self.delay_seconds)),
            ("FifoQueue", self.is_fifo.then(|| "true".to_owned())),
            ("MaximumMessageSize", number(self.maximum_message_size)),
            ("MessageRetentionPeriod", number(self.retention_seconds)),
            (
                "ReceiveMessageWaitTimeSeconds",
                number(self.wait_time_seconds),
            ),
            (
                "RedrivePolicy",
                self.redrive.as_ref().map(RedrivePolicy::to_json),
            ),
            ("VisibilityTimeout", number(self.visibility_timeout)),
        ];
        let valued = attributes.into_iter();
        valued
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

/// The suffix of a FIFO queue counts towards the length of its name, and no other name may have it.
fn check_queue_name(name: &str, is_fifo: bool) -> Result<(), Error> {
    let (stem, reason) = if is_fifo {
        let reason = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, \
                      must end with .fifo suffix and be 1 to 80 in length";
        (name.strip_suffix(FIFO_SUFFIX), reason)
    } else {
        let reason =
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        (Some(name), reason)
    };
    if stem.is_some_and(limits::is_name) && name.len() <= limits::MAX_NAME {
        return Ok(());
    }
    Err(Error::InvalidParameterValue(reason.to_owned()))
}

fn number(name: &str, value: &str, range: &RangeInclusive<u64>) -> Result<u64, Error> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        Error::InvalidAttributeValue(format!("Invalid value for the parameter {name}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<Settings, Error> {
        let attributes = QueueAttributes::from([(name.to_owned(), value.to_owned())]);
        Settings::default().with(&attributes)
    }

    #[test]
    fn reads_back_what_was_set() {
        let settings = with("VisibilityTimeout", "7").unwrap();
        assert_eq!(settings.visibility_timeout, 7);
        assert_eq!(settings.attributes()["VisibilityTimeout"], "7");
    }

    #[test]
    fn refuses_numbers_out_of_range_and_texts() {
        for (name, value) in [
            ("VisibilityTimeout", "43201"),
            ("DelaySeconds", "901"),
            ("DelaySeconds", "-1"),
            ("MaximumMessageSize", "1048577"),
            ("MessageRetentionPeriod", "59"),
            ("ReceiveMessageWaitTimeSeconds", "long"),
        ] {
            let error = with(name, value).unwrap_err();
            assert!(matches!(error, Error::InvalidAttributeValue(_)), "{name}");
        }
    }

    #[test]
    fn refuses_what_nobody_can_set() {
        for name in [
            "QueueArn",
            "ApproximateNumberOfMessages",
            "Colour",
            "FifoQueue",
        ] {
            let error = with(name, "true").unwrap_err();
            assert!(matches!(error, Error::InvalidAttributeName(_)), "{name}");
        }
    }

    #[test]
    fn the_name_of_a_queue_and_its_kind_must_agree() {
        let create = |name: &str, is_fifo: bool| {
            let fifo = is_fifo.then(|| ("FifoQueue".to_owned(), "true".to_owned()));
            Settings::of_new_queue(name, &fifo.into_iter().collect())
        };
        let longest = format!("{}.fifo", "a".repeat(75));
        let settings = create(&longest, true).unwrap();
        assert_eq!(settings.attributes()["FifoQueue"], "true");
        for (name, is_fifo) in [
            ("jobs.fifo", false),
            ("jobs", true),
            (".fifo", true),
            ("a b", false),
            (&format!("a{longest}"), true),
        ] {
            let error = create(name, is_fifo).unwrap_err();
            assert!(matches!(error, Error::InvalidParameterValue(_)), "{name}");
        }
    }
}
