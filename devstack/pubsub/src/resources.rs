//! What exists when the server starts.

use std::time::Duration;

use crate::proto;

/// Topics and subscriptions that are created before the first request is answered.
///
/// All of them are ids without the project: `order.classified`, not `projects/…/topics/order.classified`.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    /// The project that all of them belong to.
    pub project: String,
    pub topics: Vec<String>,
    pub subscriptions: Vec<Subscription>,
}

/// A subscription to create at the start.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub id: String,
    /// One of [`field@Resources::topics`].
    pub topic: String,
    /// How long a pulled message stays away; 10 to 600 seconds. Streams may ask for another.
    pub ack_deadline: Duration,
    pub dead_letter_policy: Option<DeadLetterPolicy>,
    /// Without it a failed message comes again at once.
    pub retry_policy: Option<RetryPolicy>,
}

/// Where messages go that fail again and again.
#[derive(Debug, Clone)]
pub struct DeadLetterPolicy {
    /// One of [`field@Resources::topics`].
    pub topic: String,
    /// 5 to 100.
    pub max_delivery_attempts: u8,
}

/// How long a failed message stays away: doubling from the minimum to the maximum, 0 to 600 seconds.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    pub minimum_backoff: Duration,
    pub maximum_backoff: Duration,
}

impl Resources {
    pub(crate) fn topics(&self) -> impl Iterator<Item = proto::Topic> {
        self.topics.iter().map(|id| proto::Topic {
            name: self.topic_name(id),
            ..proto::Topic::default()
        })
    }

    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = proto::Subscription> {
        self.subscriptions.iter().map(|from| proto::Subscription {
            name: format!("projects/{}/subscriptions/{}", self.project, from.id),
            topic: self.topic_name(&from.topic),
            ack_deadline_seconds: i32::try_from(from.ack_deadline.as_secs()).unwrap_or(i32::MAX),
            dead_letter_policy: from.dead_letter_policy.as_ref().map(|policy| {
                proto::DeadLetterPolicy {
                    dead_letter_topic: self.topic_name(&policy.topic),
                    max_delivery_attempts: policy.max_delivery_attempts.into(),
                }
            }),
            retry_policy: from.retry_policy.map(RetryPolicy::to_proto),
            ..proto::Subscription::default()
        })
    }

    fn topic_name(&self, id: &str) -> String {
        format!("projects/{}/topics/{id}", self.project)
    }
}

impl RetryPolicy {
    fn to_proto(self) -> proto::RetryPolicy {
        proto::RetryPolicy {
            minimum_backoff: prost_types::Duration::try_from(self.minimum_backoff).ok(),
            maximum_backoff: prost_types::Duration::try_from(self.maximum_backoff).ok(),
        }
    }
}
