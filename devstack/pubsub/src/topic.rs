//! One topic: its settings, who subscribes, and what it keeps for those who subscribe later.

mod retained;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;
use crate::names::{SubscriptionName, TopicName};
use crate::proto::{self, PubsubMessage};
use crate::settings;

use retained::Retained;

#[derive(Debug, Default)]
pub(crate) struct Topic {
    labels: HashMap<String, String>,
    /// Without it, a message lives in the subscriptions alone that were there when it was published.
    retention: Option<Duration>,
    retained: Retained,
    pub(crate) subscriptions: BTreeSet<SubscriptionName>,
}

impl Topic {
    pub(crate) fn parse(from: proto::Topic) -> Result<Self, Error> {
        Ok(Self {
            labels: from.labels,
            retention: parse_retention(from.message_retention_duration)?,
            ..Self::default()
        })
    }

    pub(crate) fn to_proto(&self, name: &TopicName) -> proto::Topic {
        proto::Topic {
            name: name.to_string(),
            labels: self.labels.clone(),
            message_retention_duration: self.retention.and_then(settings::to_proto),
        }
    }

    /// Takes over the fields that the mask names.
    pub(crate) fn update(&mut self, from: proto::Topic, mask: &[String]) -> Result<(), Error> {
        let unknown = mask
            .iter()
            .find(|path| !["labels", "message_retention_duration"].contains(&path.as_str()));
        if let Some(path) = unknown {
            return Err(Error::invalid(format!(
                "The field of a topic cannot be updated (path={path})."
            )));
        }
        let proto::Topic {
            labels,
            message_retention_duration,
            ..
        } = from;
        if mask.iter().any(|path| path == "message_retention_duration") {
            self.retention = parse_retention(message_retention_duration)?;
        }
        if mask.iter().any(|path| path == "labels") {
            self.labels = labels;
        }
        Ok(())
    }

    /// Keeps a message that was published now, if the topic retains any.
    pub(crate) fn retain(&mut self, message: &Arc<PubsubMessage>, now: Instant) {
        self.forget(now);
        if self.retention.is_some() {
            self.retained.push(Arc::clone(message), now);
        }
    }

    /// What a subscription gets that is created now, with the time of its publishing, the oldest first.
    ///
    /// So does Google's emulator; Google's service hands out what a topic retains only after a seek.
    pub(crate) fn retained(
        &mut self,
        now: Instant,
    ) -> impl Iterator<Item = (Instant, Arc<PubsubMessage>)> {
        self.forget(now);
        self.retained.iter()
    }

    fn forget(&mut self, now: Instant) {
        let retention = self.retention.unwrap_or_default();
        self.retained
            .forget(|published| published + retention <= now);
    }
}

fn parse_retention(from: Option<prost_types::Duration>) -> Result<Option<Duration>, Error> {
    from.map(settings::parse_retention).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_retention_that_could_not_be_printed() {
        let from = proto::Topic {
            message_retention_duration: Some(prost_types::Duration {
                seconds: i64::MIN,
                nanos: 0,
            }),
            ..proto::Topic::default()
        };
        let mask = ["message_retention_duration".to_owned()];

        let updated = Topic::default().update(from.clone(), &mask);

        assert!(matches!(updated, Err(Error::InvalidArgument(_))));
        assert!(matches!(Topic::parse(from), Err(Error::InvalidArgument(_))));
    }

    fn retaining(seconds: i64) -> proto::Topic {
        proto::Topic {
            message_retention_duration: Some(prost_types::Duration { seconds, nanos: 0 }),
            ..proto::Topic::default()
        }
    }

    fn retained(topic: &mut Topic, now: Instant) -> usize {
        topic.retained(now).count()
    }

    #[test]
    fn forgets_a_message_when_its_time_is_over() {
        let mut topic = Topic::parse(retaining(600)).unwrap();
        let published = Instant::now();
        topic.retain(&Arc::default(), published);

        let end = published + Duration::from_mins(10);

        assert_eq!(retained(&mut topic, end - Duration::from_millis(1)), 1);
        assert_eq!(retained(&mut topic, end), 0);
    }

    #[test]
    fn forgets_everything_when_it_no_longer_retains() {
        let mut topic = Topic::parse(retaining(600)).unwrap();
        let now = Instant::now();
        topic.retain(&Arc::default(), now);

        let mask = ["message_retention_duration".to_owned()];
        topic.update(proto::Topic::default(), &mask).unwrap();

        assert_eq!(retained(&mut topic, now), 0);
    }
}
