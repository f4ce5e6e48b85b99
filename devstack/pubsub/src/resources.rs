//! What exists when the server starts.

use std::time::Duration;

use crate::names::{SUBSCRIPTIONS, TOPICS};
use crate::settings::{DeadLetter, RetryPolicy, Settings, TopicSettings};

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

impl Resources {
    fn name(&self, collection: &str, id: &str) -> String {
        format!("projects/{}/{collection}/{id}", self.project)
    }

    /// What a client would ask for to create the topics.
    pub(crate) fn topics(&self) -> impl Iterator<Item = TopicSettings> {
        self.topics.iter().map(|id| TopicSettings {
            name: self.name(TOPICS, id),
            message_retention_duration: None,
        })
    }

    /// What a client would ask for to create the subscriptions.
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = Settings> {
        self.subscriptions.iter().map(|from| Settings {
            name: self.name(SUBSCRIPTIONS, &from.id),
            topic: self.name(TOPICS, &from.topic),
            ack_deadline_seconds: from.ack_deadline.as_secs(),
            enable_message_ordering: false,
            dead_letter_policy: from.dead_letter_policy.as_ref().map(|policy| DeadLetter {
                dead_letter_topic: self.name(TOPICS, &policy.topic),
                max_delivery_attempts: policy.max_delivery_attempts.into(),
            }),
            retry_policy: from.retry_policy,
        })
    }
}
