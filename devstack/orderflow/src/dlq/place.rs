//! The places of dead letters, once: where each is, and where its letters come from.

use std::fmt;

use serde::Serialize;

/// One of the three brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Broker {
    Kafka,
    Sqs,
    PubSub,
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kafka => "Kafka",
            Self::Sqs => "SQS",
            Self::PubSub => "Pub/Sub",
        })
    }
}

/// Where messages lie that were given up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) broker: Broker,
    /// The topic or queue; on Pub/Sub also the subscription that keeps what arrives on it.
    pub(super) name: &'static str,
    /// The topic or queue that its letters come from, and go back to.
    pub(super) origin: &'static str,
    /// The groups that read the origin, where a letter goes to all of them.
    pub(super) groups: &'static [&'static str],
}

pub(super) static PLACES: [Place; 4] = [
    Place {
        broker: Broker::Kafka,
        name: "order.created.dlt",
        origin: "order.created",
        groups: &["classifier"],
    },
    Place {
        broker: Broker::Sqs,
        name: "classification-jobs-dlq",
        origin: "classification-jobs",
        groups: &[],
    },
    Place {
        broker: Broker::PubSub,
        name: "order.classified.dlq",
        origin: "order.classified",
        groups: &[],
    },
    Place {
        broker: Broker::Kafka,
        name: "order.ended.dlt",
        origin: "order.ended",
        groups: &["email", "inventory"],
    },
];

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.broker)
    }
}

/// What `--from` takes: a place, or a broker with all of its places.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let places = PLACES.iter().map(|place| place.name);
    ["kafka", "sqs", "pubsub"].into_iter().chain(places)
}

/// The places that were asked for; all of them if none was.
pub(super) fn chosen(from: &[String]) -> Vec<&'static Place> {
    let is_wanted = |place: &&Place| {
        let broker = match place.broker {
            Broker::Kafka => "kafka",
            Broker::Sqs => "sqs",
            Broker::PubSub => "pubsub",
        };
        let mut from = from.iter();
        from.len() == 0 || from.any(|name| name == broker || name == place.name)
    };
    PLACES.iter().filter(is_wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology;

    #[test]
    fn every_place_and_origin_is_in_the_topology() {
        let topics = topology::TOPICS.map(|(name, _)| name.to_owned());
        let queues = topology::queues().map(|queue| format!("{queue:?}"));
        let resources = topology::resources();
        for place in &PLACES {
            for name in [place.name, place.origin] {
                let known = match place.broker {
                    Broker::Kafka => topics.contains(&name.to_owned()),
                    Broker::Sqs => queues
                        .iter()
                        .any(|queue| queue.contains(&format!("{name:?}"))),
                    Broker::PubSub => resources.topics.contains(&name.to_owned()),
                };
                assert!(known, "{name}");
            }
        }
        let subscriptions = &resources.subscriptions;
        assert!(subscriptions.iter().any(|kept| kept.id == PLACES[2].name));
    }

    #[test]
    fn a_broker_stands_for_all_its_places() {
        let chosen = |from: &[&str]| -> Vec<_> {
            let from: Vec<_> = from.iter().map(ToString::to_string).collect();
            let places = chosen(&from).into_iter();
            places.map(|place| place.name).collect()
        };
        assert_eq!(chosen(&["kafka"]), ["order.created.dlt", "order.ended.dlt"]);
        assert_eq!(chosen(&[PLACES[1].name]), ["classification-jobs-dlq"]);
        assert_eq!(chosen(&[]).len(), PLACES.len());
    }
}
