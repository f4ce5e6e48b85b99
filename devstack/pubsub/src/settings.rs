//! A subscription's settings: parsed once from the protocol's message, printed back for `Get`.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::Error;
use crate::filter::Filter;
use crate::names::{DELETED_TOPIC, SubscriptionName, TopicName};
use crate::proto;

const ACK_DEADLINE_SECONDS: RangeInclusive<i32> = 10..=600;
const DEFAULT_ACK_DEADLINE: Duration = Duration::from_secs(10);
const DELIVERY_ATTEMPTS: RangeInclusive<i32> = 5..=100;
const DEFAULT_DELIVERY_ATTEMPTS: u32 = 5;
const DEFAULT_MINIMUM_BACKOFF: Duration = Duration::from_secs(10);
const MAXIMUM_BACKOFF: Duration = Duration::from_mins(10);
const RETENTION: RangeInclusive<Duration> = Duration::from_mins(10)..=Duration::from_hours(31 * 24);
const DEFAULT_RETENTION: Duration = Duration::from_hours(7 * 24);
const MINIMUM_EXPIRATION: Duration = Duration::from_hours(24);

/// What was asked for at creation or by the last update, with the defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// `None` once the topic was deleted.
    pub(crate) topic: Option<TopicName>,
    pub(crate) ack_deadline: Duration,
    pub(crate) dead_letter: Option<DeadLetter>,
    /// `None` redelivers at once.
    pub(crate) retry: Option<Retry>,
    pub(crate) filter: Option<Filter>,
    pub(crate) ordered: bool,
    pub(crate) retain_acked: bool,
    pub(crate) retention: Duration,
    pub(crate) labels: HashMap<String, String>,
    /// Kept for the answer only: subscriptions of this server do not expire.
    pub(crate) expiration: Option<proto::ExpirationPolicy>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) topic: TopicName,
    pub(crate) max_delivery_attempts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retry {
    pub(crate) minimum: Duration,
    pub(crate) maximum: Duration,
}

impl Settings {
    pub(crate) fn parse(from: proto::Subscription) -> Result<Self, Error> {
        refuse_other_delivery(&from)?;
        let topic = match from.topic.as_str() {
            DELETED_TOPIC => None,
            name => Some(name.parse()?),
        };
        let filter = match from.filter.as_str() {
            "" => None,
            source => Some(Filter::parse(source)?),
        };
        Ok(Self {
            topic,
            ack_deadline: match from.ack_deadline_seconds {
                0 => DEFAULT_ACK_DEADLINE,
                seconds => parse_ack_deadline(seconds)?,
            },
            dead_letter: from
                .dead_letter_policy
                .as_ref()
                .map(DeadLetter::parse)
                .transpose()?,
            retry: from.retry_policy.as_ref().map(Retry::parse).transpose()?,
            filter,
            ordered: from.enable_message_ordering,
            retain_acked: from.retain_acked_messages,
            retention: from
                .message_retention_duration
                .map_or(Ok(DEFAULT_RETENTION), parse_retention)?,
            labels: from.labels,
            expiration: from.expiration_policy.map(check_expiration).transpose()?,
        })
    }

    pub(crate) fn to_proto(&self, name: &SubscriptionName) -> proto::Subscription {
        proto::Subscription {
            name: name.to_string(),
            topic: self
                .topic
                .as_ref()
                .map_or_else(|| DELETED_TOPIC.to_owned(), ToString::to_string),
            // Clients expect it to be present: empty means that messages are pulled.
            push_config: Some(proto::PushConfig::default()),
            ack_deadline_seconds: whole_seconds(self.ack_deadline),
            retain_acked_messages: self.retain_acked,
            message_retention_duration: to_proto(self.retention),
            labels: self.labels.clone(),
            enable_message_ordering: self.ordered,
            expiration_policy: self.expiration.clone(),
            filter: self
                .filter
                .as_ref()
                .map_or_else(String::new, |filter| filter.source().to_owned()),
            dead_letter_policy: self.dead_letter.as_ref().map(DeadLetter::to_proto),
            retry_policy: self.retry.map(Retry::to_proto),
            ..proto::Subscription::default()
        }
    }
}

impl DeadLetter {
    fn parse(from: &proto::DeadLetterPolicy) -> Result<Self, Error> {
        let max_delivery_attempts = match from.max_delivery_attempts {
            0 => DEFAULT_DELIVERY_ATTEMPTS,
            attempts if DELIVERY_ATTEMPTS.contains(&attempts) => attempts.unsigned_abs(),
            attempts => {
                return Err(Error::invalid(format!(
                    "max_delivery_attempts must be between 5 and 100 (value={attempts})."
                )));
            }
        };
        Ok(Self {
            topic: from.dead_letter_topic.parse()?,
            max_delivery_attempts,
        })
    }

    fn to_proto(&self) -> proto::DeadLetterPolicy {
        proto::DeadLetterPolicy {
            dead_letter_topic: self.topic.to_string(),
            max_delivery_attempts: i32::try_from(self.max_delivery_attempts)
                .expect("the parser admits at most 100"),
        }
    }
}

impl Retry {
    fn parse(from: &proto::RetryPolicy) -> Result<Self, Error> {
        let minimum = parse_backoff(from.minimum_backoff, DEFAULT_MINIMUM_BACKOFF)?;
        let maximum = parse_backoff(from.maximum_backoff, MAXIMUM_BACKOFF)?;
        if minimum > maximum {
            return Err(Error::invalid(
                "minimum_backoff must not be greater than maximum_backoff.",
            ));
        }
        Ok(Self { minimum, maximum })
    }

    fn to_proto(self) -> proto::RetryPolicy {
        proto::RetryPolicy {
            minimum_backoff: to_proto(self.minimum),
            maximum_backoff: to_proto(self.maximum),
        }
    }

    /// How long a message waits after it failed for the `failures`th time: doubling, up to the maximum.
    pub(crate) fn backoff(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1);
        2_u32
            .checked_pow(doublings)
            .and_then(|factor| self.minimum.checked_mul(factor))
            .map_or(self.maximum, |backoff| backoff.min(self.maximum))
    }
}

/// Checks a deadline that a lease is given: 10 to 600 seconds.
pub(crate) fn parse_ack_deadline(seconds: i32) -> Result<Duration, Error> {
    if !ACK_DEADLINE_SECONDS.contains(&seconds) {
        return Err(Error::invalid(format!(
            "An acknowledgement deadline is 10 to 600 seconds (value={seconds})."
        )));
    }
    Ok(Duration::from_secs(u64::from(seconds.unsigned_abs())))
}

/// Refuses what this server would otherwise silently not do.
fn refuse_other_delivery(from: &proto::Subscription) -> Result<(), Error> {
    let unsupported = if from
        .push_config
        .as_ref()
        .is_some_and(|push| !push.push_endpoint.is_empty())
    {
        "push delivery"
    } else if from.bigquery_config.is_some()
        || from.cloud_storage_config.is_some()
        || from.bigtable_config.is_some()
    {
        "export to BigQuery, Bigtable or Cloud Storage"
    } else if from.enable_exactly_once_delivery {
        "exactly-once delivery"
    } else {
        return Ok(());
    };
    Err(Error::Unimplemented(format!(
        "This emulator has no {unsupported}."
    )))
}

/// How long messages are kept, of a subscription or of a topic.
pub(crate) fn parse_retention(from: prost_types::Duration) -> Result<Duration, Error> {
    let retention = parse_duration(from)?;
    if !RETENTION.contains(&retention) {
        return Err(Error::invalid(
            "message_retention_duration must be between 10 minutes and 31 days.",
        ));
    }
    Ok(retention)
}

/// Without a time to live, a subscription does not expire.
fn check_expiration(policy: proto::ExpirationPolicy) -> Result<proto::ExpirationPolicy, Error> {
    if let Some(ttl) = policy.ttl
        && parse_duration(ttl)? < MINIMUM_EXPIRATION
    {
        return Err(Error::invalid(
            "The ttl of an expiration_policy must be at least one day.",
        ));
    }
    Ok(policy)
}

fn parse_backoff(
    from: Option<prost_types::Duration>,
    default: Duration,
) -> Result<Duration, Error> {
    let backoff = from.map_or(Ok(default), parse_duration)?;
    if backoff > MAXIMUM_BACKOFF {
        return Err(Error::invalid("A back-off is 0 to 600 seconds."));
    }
    Ok(backoff)
}

fn parse_duration(from: prost_types::Duration) -> Result<Duration, Error> {
    // Not by prost's conversion, which negates a negative one for its error and overflows at the least.
    let parts = (u64::try_from(from.seconds), u32::try_from(from.nanos));
    let (Ok(seconds), Ok(nanos)) = parts else {
        return Err(Error::invalid("A duration must not be negative."));
    };
    Ok(Duration::new(seconds, nanos))
}

pub(crate) fn to_proto(duration: Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(duration).ok()
}

fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).expect("the parser admits at most 600 seconds")
}

#[cfg(test)]
mod tests;
