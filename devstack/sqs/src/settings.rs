//! The attributes of a queue that its owner can set.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>

use std::{collections::BTreeMap, ops::RangeInclusive};

use crate::redrive::{RedriveAllowPolicy, RedrivePolicy};
use crate::{
    error::Error,
    fifo::{self, Fifo},
    limits, redrive,
};

/// Attributes as they travel: names and texts.
pub(crate) type QueueAttributes = BTreeMap<String, String>;

/// What the owner of a queue decided; the defaults are those of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) delay_seconds: u64,
    pub(crate) maximum_message_size: u64,
    pub(crate) retention_seconds: u64,
    pub(crate) wait_time_seconds: u64,
    pub(crate) visibility_timeout: u64,
    pub(crate) redrive: Option<RedrivePolicy>,
    pub(crate) redrive_allow: RedriveAllowPolicy,
    /// `None` makes it a standard queue.
    pub(crate) fifo: Option<Fifo>,
    /// Kept and given back, without effect: there is no access control and no encryption here.
    inert: QueueAttributes,
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
            redrive_allow: RedriveAllowPolicy::AllowAll,
            fifo: None,
            inert: QueueAttributes::from([("SqsManagedSseEnabled".to_owned(), "true".to_owned())]),
        }
    }
}

impl Settings {
    /// The defaults of a FIFO queue.
    pub(crate) fn fifo() -> Self {
        Self {
            fifo: Some(Fifo::default()),
            ..Self::default()
        }
    }

    /// These settings with `attributes` changed.
    pub(crate) fn with(&self, attributes: &QueueAttributes) -> Result<Self, Error> {
        let mut changed = self.clone();
        for (name, value) in attributes {
            changed.set(name, value)?;
        }
        changed.fifo.as_ref().map_or(Ok(()), Fifo::check)?;
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
            "RedrivePolicy" => self.redrive = redrive::parse_policy(value)?,
            "RedriveAllowPolicy" => self.redrive_allow = redrive::parse_allow_policy(value)?,
            "Policy" | "KmsMasterKeyId" | "SqsManagedSseEnabled" => self.keep(name, value),
            "KmsDataKeyReusePeriodSeconds" => {
                number(name, value, &limits::KMS_REUSE_SECONDS)?;
                self.keep(name, value);
            }
            // AWS calls the attributes of FIFO queues unknown on a standard queue, as it does what nobody can set.
            _ => self.fifo.as_mut().ok_or_else(|| Error::InvalidAttributeName(name.to_owned()))?.set(name, value)?,
        }
        Ok(())
    }

    /// An empty text takes the attribute away again.
    fn keep(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            self.inert.remove(name);
        } else {
            self.inert.insert(name.to_owned(), value.to_owned());
        }
    }

    /// All attributes that have a value, as they travel.
    pub(crate) fn attributes(&self) -> QueueAttributes {
        let numbers = [
            ("DelaySeconds", self.delay_seconds),
            ("MaximumMessageSize", self.maximum_message_size),
            ("MessageRetentionPeriod", self.retention_seconds),
            ("ReceiveMessageWaitTimeSeconds", self.wait_time_seconds),
            ("VisibilityTimeout", self.visibility_timeout),
        ];
        let numbers = numbers.map(|(name, number)| (name.to_owned(), number.to_string()));
        let policies = [
            (
                "RedrivePolicy",
                self.redrive.as_ref().map(RedrivePolicy::to_json),
            ),
            ("RedriveAllowPolicy", self.redrive_allow.to_json()),
        ];
        let policies = policies
            .into_iter()
            .filter_map(|(name, policy)| Some((name.to_owned(), policy?)));
        let fifo = self.fifo.as_ref().map(Fifo::attributes);
        numbers
            .into_iter()
            .chain(policies)
            .chain(fifo.into_iter().flatten())
            .chain(self.inert.clone())
            .collect()
    }

    /// The first attribute that `requested` and these settings give different values.
    pub(crate) fn difference(
        &self,
        requested: &QueueAttributes,
    ) -> Result<Option<&'static str>, Error> {
        let (ours, theirs) = (self.attributes(), self.with(requested)?.attributes());
        Ok(SETTABLE
            .into_iter()
            .chain(fifo::ATTRIBUTES)
            .find(|name| ours.get(*name) != theirs.get(*name)))
    }
}

const SETTABLE: [&str; 11] = [
    "DelaySeconds",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// Whether `name` is an attribute that a queue of any kind can have.
pub(crate) fn is_known(name: &str) -> bool {
    const READ_ONLY: [&str; 7] = [
        "All",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "LastModifiedTimestamp",
        "QueueArn",
    ];
    [&SETTABLE[..], &READ_ONLY, &fifo::ATTRIBUTES]
        .iter()
        .any(|names| names.contains(&name))
}

fn number(name: &str, value: &str, range: &RangeInclusive<u64>) -> Result<u64, Error> {
    value
        .parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
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
        for name in ["QueueArn", "ApproximateNumberOfMessages", "Colour"] {
            let error = with(name, "1").unwrap_err();
            assert!(matches!(error, Error::InvalidAttributeName(_)), "{name}");
        }
    }

    #[test]
    fn the_attributes_of_fifo_queues_are_unknown_on_a_standard_queue() {
        for name in fifo::ATTRIBUTES {
            let error = with(name, "true").unwrap_err();
            assert!(matches!(error, Error::InvalidAttributeName(_)), "{name}");
        }
    }

    #[test]
    fn a_fifo_queue_has_the_defaults_of_aws_and_stays_one() {
        let attributes = Settings::fifo().attributes();
        assert_eq!(attributes["FifoQueue"], "true");
        assert_eq!(attributes["ContentBasedDeduplication"], "false");
        let standard = QueueAttributes::from([("FifoQueue".to_owned(), "false".to_owned())]);
        let error = Settings::fifo().with(&standard).unwrap_err();
        assert!(matches!(error, Error::InvalidAttributeValue(_)));
    }

    #[test]
    fn names_the_first_difference() {
        let requested = QueueAttributes::from([("DelaySeconds".to_owned(), "5".to_owned())]);
        let same = with("DelaySeconds", "5").unwrap();
        assert_eq!(same.difference(&requested).unwrap(), None);
        let differs = Settings::default().difference(&requested).unwrap();
        assert_eq!(differs, Some("DelaySeconds"));
    }
}
