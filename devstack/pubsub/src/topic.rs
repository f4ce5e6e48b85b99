//! One topic: its settings and who subscribes.

use std::collections::{BTreeSet, HashMap};

use prost_types::Duration;

use crate::error::Error;
use crate::names::{SubscriptionName, TopicName};
use crate::proto;
use crate::settings::parse_retention;

#[derive(Debug, Default)]
pub(crate) struct Topic {
    labels: HashMap<String, String>,
    /// Kept for the answer only: a message lives in its subscriptions, not in its topic.
    retention: Option<Duration>,
    pub(crate) subscriptions: BTreeSet<SubscriptionName>,
}

impl Topic {
    pub(crate) fn parse(from: proto::Topic) -> Result<Self, Error> {
        Ok(Self {
            labels: from.labels,
            retention: check(from.message_retention_duration)?,
            subscriptions: BTreeSet::new(),
        })
    }

    pub(crate) fn to_proto(&self, name: &TopicName) -> proto::Topic {
        proto::Topic {
            name: name.to_string(),
            labels: self.labels.clone(),
            message_retention_duration: self.retention,
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
            self.retention = check(message_retention_duration)?;
        }
        if mask.iter().any(|path| path == "labels") {
            self.labels = labels;
        }
        Ok(())
    }
}

fn check(retention: Option<Duration>) -> Result<Option<Duration>, Error> {
    parse_retention(retention)?;
    Ok(retention)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_retention_that_could_not_be_printed() {
        let from = proto::Topic {
            message_retention_duration: Some(Duration {
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
}
