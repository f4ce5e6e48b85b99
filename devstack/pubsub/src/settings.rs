//! What a topic or a subscription was created with, as REST writes it. It does not change afterwards.
//!
//! A field that is not here is one that this server does nothing about, so it is refused by its name.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::{serde_as, serde_conv, skip_serializing_none};

use crate::error::Error;

const ACK_DEADLINE_SECONDS: RangeInclusive<u64> = 10..=600;
const MAX_BACKOFF: Duration = Duration::from_mins(10);
const RETENTION: RangeInclusive<Duration> = Duration::from_mins(10)..=Duration::from_hours(31 * 24);

#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct TopicSettings {
    pub(crate) name: String,
    /// Without it, a message lives in the subscriptions alone that were there when it was published.
    #[serde_as(as = "Option<Seconds>")]
    pub(crate) message_retention_duration: Option<Duration>,
}

#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) topic: String,
    pub(crate) ack_deadline_seconds: u64,
    pub(crate) enable_message_ordering: bool,
    pub(crate) dead_letter_policy: Option<DeadLetter>,
    /// `None` redelivers at once.
    pub(crate) retry_policy: Option<RetryPolicy>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct DeadLetter {
    pub(crate) dead_letter_topic: String,
    pub(crate) max_delivery_attempts: u32,
}

/// How long a failed message stays away: doubling from the minimum to the maximum, 0 to 600 seconds.
#[serde_as]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RetryPolicy {
    #[serde_as(as = "Seconds")]
    pub minimum_backoff: Duration,
    #[serde_as(as = "Seconds")]
    pub maximum_backoff: Duration,
}

/// Google's.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            minimum_backoff: Duration::from_secs(10),
            maximum_backoff: MAX_BACKOFF,
        }
    }
}

impl RetryPolicy {
    /// How long a message waits after it failed for the `failures`th time.
    pub(crate) fn backoff(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        let doubled = self.minimum_backoff.saturating_mul(factor);
        doubled.min(self.maximum_backoff)
    }
}

impl TopicSettings {
    pub(crate) fn check(self) -> Result<Self, Error> {
        if let Some(retention) = self.message_retention_duration {
            within(RETENTION, retention, "messageRetentionDuration")?;
        }
        Ok(self)
    }
}

impl Settings {
    /// Fills in the defaults where there are zeros, as in all of protobuf, and checks the rest.
    pub(crate) fn check(mut self) -> Result<Self, Error> {
        if self.ack_deadline_seconds == 0 {
            self.ack_deadline_seconds = 10;
        }
        let seconds = self.ack_deadline_seconds;
        within(ACK_DEADLINE_SECONDS, seconds, "ackDeadlineSeconds")?;
        if let Some(policy) = &mut self.dead_letter_policy {
            if policy.max_delivery_attempts == 0 {
                policy.max_delivery_attempts = 5;
            }
            within(5..=100, policy.max_delivery_attempts, "maxDeliveryAttempts")?;
        }
        if let Some(policy) = self.retry_policy {
            let (minimum, maximum) = (policy.minimum_backoff, policy.maximum_backoff);
            within(Duration::ZERO..=MAX_BACKOFF, maximum, "maximumBackoff")?;
            within(Duration::ZERO..=maximum, minimum, "minimumBackoff")?;
        }
        Ok(self)
    }

    pub(crate) fn ack_deadline(&self) -> Duration {
        Duration::from_secs(self.ack_deadline_seconds)
    }
}

/// The deadline that a stream asks for.
pub(crate) fn parse_ack_deadline(seconds: i32) -> Result<Duration, Error> {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    within(ACK_DEADLINE_SECONDS, seconds, "stream_ack_deadline_seconds")?;
    Ok(Duration::from_secs(seconds))
}

/// The new length of a lease. Zero gives the message back.
pub(crate) fn parse_extension(seconds: i32) -> Result<Duration, Error> {
    within(0..=600, seconds, "ack_deadline_seconds")?;
    Ok(Duration::from_secs(seconds.unsigned_abs().into()))
}

fn within<T: Copy + PartialOrd + Debug>(
    range: RangeInclusive<T>,
    value: T,
    field: &str,
) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{field} must be within {range:?}, and is {value:?}."
    )))
}

// A duration as proto3 JSON has it: `3.5s`.
serde_conv!(Seconds, Duration, print_seconds, |text: String| {
    parse_seconds(&text)
});

fn print_seconds(duration: &Duration) -> String {
    let duration = prost_types::Duration::try_from(*duration);
    duration.unwrap_or_default().to_string()
}

/// Not by prost's conversion, which negates a negative one for its error and overflows at the least.
fn parse_seconds(text: &str) -> Result<Duration, Error> {
    let refused = || Error::invalid(format!("{text} is no duration."));
    let duration: prost_types::Duration = text.parse().map_err(|_| refused())?;
    let seconds = u64::try_from(duration.seconds).map_err(|_| refused())?;
    let nanos = u32::try_from(duration.nanos).map_err(|_| refused())?;
    Ok(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn subscription(more: &Value) -> Result<Settings, String> {
        let mut body = json!({
            "name": "projects/p/subscriptions/orders",
            "topic": "projects/p/topics/orders",
        });
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let parsed: Settings = serde_json::from_value(body).map_err(|error| error.to_string())?;
        parsed.check().map_err(|error| error.to_string())
    }

    #[test]
    fn fills_in_the_defaults() {
        let dead_letters = json!({"deadLetterTopic": "projects/p/topics/dead"});
        let settings =
            subscription(&json!({"deadLetterPolicy": dead_letters, "retryPolicy": {}})).unwrap();

        assert_eq!(settings.ack_deadline(), Duration::from_secs(10));
        assert_eq!(
            settings.dead_letter_policy.unwrap().max_delivery_attempts,
            5
        );
        let retry = settings.retry_policy.unwrap();
        assert_eq!(retry.minimum_backoff, Duration::from_secs(10));
        assert_eq!(retry.maximum_backoff, Duration::from_mins(10));
    }

    #[test]
    fn what_was_read_is_printed_back() {
        let body = json!({
            "name": "projects/p/subscriptions/orders",
            "topic": "projects/p/topics/orders",
            "ackDeadlineSeconds": 30,
            "enableMessageOrdering": true,
            "deadLetterPolicy": {"deadLetterTopic": "projects/p/topics/dead", "maxDeliveryAttempts": 20},
            "retryPolicy": {"minimumBackoff": "0.500s", "maximumBackoff": "600s"},
        });

        let settings = subscription(&body).unwrap();

        assert_eq!(serde_json::to_value(settings).unwrap(), body);
    }

    #[test]
    fn refuses_by_its_name_what_is_out_of_range() {
        let dead_letters = |attempts| json!({"deadLetterTopic": "projects/p/topics/dead", "maxDeliveryAttempts": attempts});
        for (field, more) in [
            ("ackDeadlineSeconds", json!({"ackDeadlineSeconds": 9})),
            ("ackDeadlineSeconds", json!({"ackDeadlineSeconds": 601})),
            (
                "maxDeliveryAttempts",
                json!({"deadLetterPolicy": dead_letters(4)}),
            ),
            (
                "maxDeliveryAttempts",
                json!({"deadLetterPolicy": dead_letters(101)}),
            ),
            (
                "minimumBackoff",
                json!({"retryPolicy": {"minimumBackoff": "20s", "maximumBackoff": "10s"}}),
            ),
            (
                "maximumBackoff",
                json!({"retryPolicy": {"maximumBackoff": "601s"}}),
            ),
        ] {
            let refused = subscription(&more).unwrap_err();
            assert!(refused.contains(field), "{refused}");
        }
    }

    #[test]
    fn refuses_by_its_name_what_it_does_nothing_about() {
        for (field, value) in [
            ("filter", json!("attributes:a")),
            ("pushConfig", json!({"pushEndpoint": "https://example.com"})),
            ("enableExactlyOnceDelivery", json!(true)),
            ("retainAckedMessages", json!(true)),
            ("messageRetentionDuration", json!("600s")),
            ("labels", json!({"team": "orders"})),
        ] {
            let refused = subscription(&json!({field: value})).unwrap_err();
            assert!(refused.contains(&format!("`{field}`")), "{refused}");
        }
    }

    #[test]
    fn refuses_a_duration_that_is_none() {
        for text in ["-9223372036854775808s", "-0.5s", "soon", ""] {
            let refused = subscription(&json!({"retryPolicy": {"minimumBackoff": text}}));
            assert!(refused.is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn the_back_off_doubles_up_to_its_maximum() {
        let retry = RetryPolicy {
            minimum_backoff: Duration::from_secs(1),
            maximum_backoff: Duration::from_secs(5),
        };

        let waits: Vec<u64> = (1..=5).map(|n| retry.backoff(n).as_secs()).collect();

        assert_eq!(waits, [1, 2, 4, 5, 5]);
        assert_eq!(retry.backoff(u32::MAX), Duration::from_secs(5));
    }

    #[test]
    fn a_topic_retains_for_ten_minutes_at_least() {
        let topic = |retention| {
            let body =
                json!({"name": "projects/p/topics/orders", "messageRetentionDuration": retention});
            serde_json::from_value::<TopicSettings>(body)
                .unwrap()
                .check()
        };

        assert!(topic("600s").is_ok());
        assert!(topic("599s").is_err());
    }
}
