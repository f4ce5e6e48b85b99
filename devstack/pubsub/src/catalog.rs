//! All topics and subscriptions, and what crosses between them: publishing and dead letters.
//!
//! Like [`Subscription`] it is told the time and does not wait.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::SystemTime;

use prost_types::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::Error;
use crate::names::{SubscriptionName, TopicName};
use crate::proto::PubsubMessage;
use crate::settings::Settings;
use crate::subscription::{Exhausted, Subscription};
use crate::topic::Topic;

#[derive(Debug)]
pub(crate) struct Catalog {
    topics: BTreeMap<TopicName, Topic>,
    subscriptions: BTreeMap<SubscriptionName, Subscription>,
    next_message_id: u64,
}

/// The moment of an operation on both clocks: leases are measured, publish times are told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    pub(crate) time: SystemTime,
}

impl Now {
    pub(crate) fn read() -> Self {
        Self {
            instant: Instant::now(),
            time: SystemTime::now(),
        }
    }
}

impl Catalog {
    /// `first_message_id` should be greater than any that an earlier run of the server gave out:
    /// consumers use the ids to recognise messages.
    pub(crate) fn new(first_message_id: u64) -> Self {
        Self {
            topics: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            next_message_id: first_message_id,
        }
    }

    pub(crate) fn create_topic(&mut self, name: TopicName, topic: Topic) -> Result<(), Error> {
        if self.topics.contains_key(&name) {
            return Err(Error::AlreadyExists(name.to_string()));
        }
        self.topics.insert(name, topic);
        Ok(())
    }

    pub(crate) fn topic(&mut self, name: &TopicName) -> Result<&mut Topic, Error> {
        self.topics
            .get_mut(name)
            .ok_or_else(|| Error::NotFound(name.to_string()))
    }

    /// The project's topics after the one named by the page token, in the order of their names.
    pub(crate) fn topics(
        &self,
        project: &str,
        after: Option<TopicName>,
    ) -> impl Iterator<Item = (&TopicName, &Topic)> {
        self.topics
            .range((exclusive(after), Bound::Unbounded))
            .filter(move |(name, _)| name.project() == project)
    }

    /// Its subscriptions stay, with what they hold.
    pub(crate) fn delete_topic(&mut self, name: &TopicName) -> Result<(), Error> {
        let Some(topic) = self.topics.remove(name) else {
            return Err(Error::NotFound(name.to_string()));
        };
        for subscription in topic.subscriptions {
            if let Some(subscription) = self.subscriptions.get_mut(&subscription) {
                subscription.lose_topic();
            }
        }
        Ok(())
    }

    /// A topic that retains messages hands them over.
    pub(crate) fn create_subscription(
        &mut self,
        name: SubscriptionName,
        settings: Settings,
        now: Instant,
    ) -> Result<(), Error> {
        if self.subscriptions.contains_key(&name) {
            return Err(Error::AlreadyExists(name.to_string()));
        }
        self.check_dead_letter_topic(&settings)?;
        let Some(topic) = &settings.topic else {
            return Err(Error::invalid("A subscription needs a topic."));
        };
        let topic = self.topic(topic)?;
        topic.subscriptions.insert(name.clone());
        let mut subscription = Subscription::new(settings, Uuid::new_v4());
        for (published, message) in topic.retained(now) {
            subscription.publish(message, published);
        }
        self.subscriptions.insert(name, subscription);
        Ok(())
    }

    pub(crate) fn subscription(
        &mut self,
        name: &SubscriptionName,
    ) -> Result<&mut Subscription, Error> {
        self.subscriptions
            .get_mut(name)
            .ok_or_else(|| Error::NotFound(name.to_string()))
    }

    /// The project's subscriptions after the one named by the page token, in the order of their names.
    pub(crate) fn subscriptions(
        &self,
        project: &str,
        after: Option<SubscriptionName>,
    ) -> impl Iterator<Item = (&SubscriptionName, &Subscription)> {
        self.subscriptions
            .range((exclusive(after), Bound::Unbounded))
            .filter(move |(name, _)| name.project() == project)
    }

    pub(crate) fn reconfigure(
        &mut self,
        name: &SubscriptionName,
        settings: Settings,
    ) -> Result<(), Error> {
        self.check_dead_letter_topic(&settings)?;
        self.subscription(name)?.reconfigure(settings);
        Ok(())
    }

    pub(crate) fn delete_subscription(&mut self, name: &SubscriptionName) -> Result<(), Error> {
        let Some(subscription) = self.subscriptions.remove(name) else {
            return Err(Error::NotFound(name.to_string()));
        };
        let topic = subscription.settings().topic.as_ref();
        if let Some(topic) = topic.and_then(|topic| self.topics.get_mut(topic)) {
            topic.subscriptions.remove(name);
        }
        Ok(())
    }

    /// Hands the messages to every subscription of the topic, and to the topic itself. Returns the ids they were given.
    pub(crate) fn publish(
        &mut self,
        topic: &TopicName,
        messages: Vec<PubsubMessage>,
        now: Now,
    ) -> Result<Vec<String>, Error> {
        let Some(topic) = self.topics.get_mut(topic) else {
            return Err(Error::NotFound(topic.to_string()));
        };
        let mut ids = Vec::with_capacity(messages.len());
        for mut message in messages {
            message.message_id = self.next_message_id.to_string();
            message.publish_time = Some(Timestamp::from(now.time));
            self.next_message_id += 1;
            ids.push(message.message_id.clone());
            let message = Arc::new(message);
            topic.retain(&message, now.instant);
            for name in &topic.subscriptions {
                if let Some(subscription) = self.subscriptions.get_mut(name) {
                    subscription.publish(Arc::clone(&message), now.instant);
                }
            }
        }
        Ok(ids)
    }

    /// Everything that has become due, in all subscriptions. Returns when the next thing will be.
    pub(crate) fn advance(&mut self, now: Now) -> Option<Instant> {
        for subscription in self.subscriptions.values_mut() {
            subscription.advance(now.instant);
        }
        let names: Vec<_> = self.subscriptions.keys().cloned().collect();
        for name in names {
            self.move_dead_letters(&name, now);
        }
        self.subscriptions
            .values()
            .filter_map(Subscription::next_event)
            .min()
    }

    /// Publishes what the subscription gave up on to its dead-letter topic, and returns that topic.
    pub(crate) fn move_dead_letters(
        &mut self,
        name: &SubscriptionName,
        now: Now,
    ) -> Option<TopicName> {
        let subscription = self.subscriptions.get_mut(name)?;
        let topic = subscription.settings().dead_letter.as_ref()?.topic.clone();
        if !self.topics.contains_key(&topic) {
            subscription.keep_exhausted(now.instant);
            return None;
        }
        let exhausted = subscription.take_exhausted(now.instant);
        if exhausted.is_empty() {
            return None;
        }
        let letters = exhausted
            .into_iter()
            .map(|exhausted| dead_letter(&exhausted, name))
            .collect();
        self.publish(&topic, letters, now).ok()?;
        Some(topic)
    }

    fn check_dead_letter_topic(&self, settings: &Settings) -> Result<(), Error> {
        match &settings.dead_letter {
            Some(policy) if !self.topics.contains_key(&policy.topic) => {
                Err(Error::NotFound(policy.topic.to_string()))
            }
            _ => Ok(()),
        }
    }
}

/// The message as it was, with attributes that say where it failed:
/// <https://cloud.google.com/pubsub/docs/handling-failures#dead_letter_topic>.
fn dead_letter(exhausted: &Exhausted, from: &SubscriptionName) -> PubsubMessage {
    let mut letter = PubsubMessage::clone(&exhausted.message);
    let published = letter.publish_time.map(|time| time.to_string());
    letter.attributes.extend(
        [
            ("DeliveryCount", exhausted.attempts.to_string()),
            ("Subscription", from.id().to_owned()),
            ("SubscriptionProject", from.project().to_owned()),
            ("TopicPublishTime", published.unwrap_or_default()),
        ]
        .map(|(name, value)| (format!("CloudPubSubDeadLetterSource{name}"), value)),
    );
    letter
}

fn exclusive<T>(after: Option<T>) -> Bound<T> {
    after.map_or(Bound::Unbounded, Bound::Excluded)
}
