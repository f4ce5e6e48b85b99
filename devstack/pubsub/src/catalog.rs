//! All topics and subscriptions, and what crosses between them: publishing and dead letters.
//!
//! Like [`Subscription`] it is told the time and does not wait; messages alone are stamped by the clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use prost_types::Timestamp;
use tokio::time::Instant;

use crate::error::Error;
use crate::names::{self, SUBSCRIPTIONS, TOPICS};
use crate::proto::PubsubMessage;
use crate::settings::{Settings, TopicSettings};
use crate::subscription::Subscription;
use crate::topic::Topic;

/// Topics and subscriptions by their names.
#[derive(Debug)]
pub(crate) struct Catalog {
    topics: BTreeMap<String, Topic>,
    subscriptions: BTreeMap<String, Subscription>,
    next_message_id: u64,
}

impl Catalog {
    pub(crate) fn new() -> Self {
        // Microseconds since 1970: decimal numbers, as the real service's ids are, that a restarted
        // server does not give out again, since consumers recognise messages by them.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let micros = since.unwrap_or_default().as_micros();
        Self {
            topics: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            next_message_id: u64::try_from(micros).unwrap_or_default(),
        }
    }

    /// Creates a topic, and tells its settings with what was filled in.
    pub(crate) fn create_topic(&mut self, settings: TopicSettings) -> Result<TopicSettings, Error> {
        let settings = settings.check()?;
        let name = settings.name.clone();
        names::check(TOPICS, &name)?;
        if self.topics.contains_key(&name) {
            return Err(Error::AlreadyExists(name));
        }
        self.topics.insert(name, Topic::new(settings.clone()));
        Ok(settings)
    }

    pub(crate) fn topic(&mut self, name: &str) -> Result<&mut Topic, Error> {
        names::check(TOPICS, name)?;
        let topic = self.topics.get_mut(name);
        topic.ok_or_else(|| Error::NotFound(name.to_owned()))
    }

    /// Creates a subscription, and tells its settings with what was filled in.
    /// A topic that retains messages hands them over.
    pub(crate) fn create_subscription(
        &mut self,
        settings: Settings,
        now: Instant,
    ) -> Result<Settings, Error> {
        let settings = settings.check()?;
        let name = settings.name.clone();
        names::check(SUBSCRIPTIONS, &name)?;
        if self.subscriptions.contains_key(&name) {
            return Err(Error::AlreadyExists(name));
        }
        if let Some(policy) = &settings.dead_letter_policy {
            self.topic(&policy.dead_letter_topic)?;
        }
        let mut subscription = Subscription::new(settings.clone());
        for message in self.topic(&settings.topic)?.retained(now) {
            subscription.publish(message, now);
        }
        self.subscriptions.insert(name, subscription);
        Ok(settings)
    }

    pub(crate) fn subscription(&mut self, name: &str) -> Result<&mut Subscription, Error> {
        names::check(SUBSCRIPTIONS, name)?;
        let subscription = self.subscriptions.get_mut(name);
        subscription.ok_or_else(|| Error::NotFound(name.to_owned()))
    }

    /// The settings of the project's subscriptions, in the order of their names.
    pub(crate) fn subscriptions(&self, project: &str) -> Vec<Settings> {
        let prefix = format!("projects/{project}/");
        let all = self.subscriptions.values();
        all.map(|subscription| &subscription.settings)
            .filter(|settings| settings.name.starts_with(&prefix))
            .cloned()
            .collect()
    }

    pub(crate) fn delete_subscription(&mut self, name: &str) -> Result<(), Error> {
        self.subscription(name)?;
        self.subscriptions.remove(name);
        Ok(())
    }

    /// Hands the messages to every subscription of the topic, and to the topic itself. Returns the ids they were given.
    pub(crate) fn publish(
        &mut self,
        topic: &str,
        messages: Vec<PubsubMessage>,
        now: Instant,
    ) -> Result<Vec<String>, Error> {
        self.topic(topic)?;
        let publish = |message| self.publish_one(topic, message, now);
        messages.into_iter().map(publish).collect()
    }

    fn publish_one(
        &mut self,
        topic: &str,
        mut message: PubsubMessage,
        now: Instant,
    ) -> Result<String, Error> {
        let id = self.next_message_id.to_string();
        self.next_message_id += 1;
        message.message_id.clone_from(&id);
        message.publish_time = Some(Timestamp::from(SystemTime::now()));
        let message = Arc::new(message);
        self.topic(topic)?.retain(&message, now);
        for subscription in self.subscriptions.values_mut() {
            if subscription.settings.topic == topic {
                subscription.publish(Arc::clone(&message), now);
            }
        }
        Ok(id)
    }

    /// When [`Self::advance`] next has something to do.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        let subscriptions = self.subscriptions.values();
        subscriptions.filter_map(Subscription::next_event).min()
    }

    /// Does everything that has become due in all subscriptions,
    /// and publishes to the dead-letter topics what they gave up on.
    pub(crate) fn advance(&mut self, now: Instant) {
        let mut letters = Vec::new();
        for subscription in self.subscriptions.values_mut() {
            subscription.advance(now);
            let settings = &subscription.settings;
            for (message, attempts) in subscription.exhausted.drain(..) {
                if let Some(policy) = &settings.dead_letter_policy {
                    let letter = dead_letter(&message, attempts, &settings.name);
                    letters.push((policy.dead_letter_topic.clone(), letter));
                }
            }
        }
        for (topic, letter) in letters {
            self.publish_one(&topic, letter, now)
                .expect("a topic that is there stays");
        }
    }
}

/// The message as it was, with attributes that say where it failed:
/// <https://cloud.google.com/pubsub/docs/handling-failures#dead_letter_topic>.
fn dead_letter(message: &PubsubMessage, attempts: u32, from: &str) -> PubsubMessage {
    let mut letter = message.clone();
    let published = letter.publish_time.map(|time| time.to_string());
    let mut from = from.split('/').skip(1).step_by(2).map(str::to_owned);
    let (project, id) = (from.next(), from.next());
    for (name, value) in [
        ("DeliveryCount", Some(attempts.to_string())),
        ("Subscription", id),
        ("SubscriptionProject", project),
        ("TopicPublishTime", published),
    ] {
        let name = format!("CloudPubSubDeadLetterSource{name}");
        letter.attributes.insert(name, value.unwrap_or_default());
    }
    letter
}
