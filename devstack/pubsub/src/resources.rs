//! What exists when the server starts.

use std::time::Duration;

use crate::error::Error;
use crate::names::{SubscriptionName, TopicName};
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
    /// What a client would ask for to create this topic.
    pub(crate) fn topic(&self, id: &str) -> Result<TopicSettings, Error> {
        Ok(TopicSettings {
            name: TopicName::new(&self.project, id)?,
            message_retention_duration: None,
        })
    }

    /// What a client would ask for to create this subscription.
    pub(crate) fn subscription(&self, from: &Subscription) -> Result<Settings, Error> {
        let dead_letter_policy = from.dead_letter_policy.as_ref().map(|policy| {
            Ok(DeadLetter {
                dead_letter_topic: TopicName::new(&self.project, &policy.topic)?,
                max_delivery_attempts: policy.max_delivery_attempts.into(),
            })
        });
        let settings = Settings {
            name: SubscriptionName::new(&self.project, &from.id)?,
            topic: TopicName::new(&self.project, &from.topic)?,
            ack_deadline_seconds: from.ack_deadline.as_secs(),
            enable_message_ordering: false,
            dead_letter_policy: dead_letter_policy.transpose()?,
            retry_policy: from.retry_policy,
        };
        settings.check()
    }
}
