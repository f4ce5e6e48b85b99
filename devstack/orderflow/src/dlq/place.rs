//! The places of dead letters, once: where each is, and where its letters come from.

use std::fmt;

use clap::builder::PossibleValue;
use serde::Serialize;

/// One of the three brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Broker {
    Kafka,
    Sqs,
    PubSub,
}

impl Broker {
    fn key(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Sqs => "sqs",
            Self::PubSub => "pubsub",
        }
    }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Broker(Broker),
    Place(&'static Place),
}

impl From {
    fn covers(self, place: &Place) -> bool {
        match self {
            Self::Broker(broker) => place.broker == broker,
            Self::Place(one) => one == place,
        }
    }
}

impl clap::ValueEnum for From {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: [From; 7] = [
            From::Broker(Broker::Kafka),
            From::Broker(Broker::Sqs),
            From::Broker(Broker::PubSub),
            From::Place(&PLACES[0]),
            From::Place(&PLACES[1]),
            From::Place(&PLACES[2]),
            From::Place(&PLACES[3]),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Broker(broker) => broker.key(),
            Self::Place(place) => place.name,
        }))
    }
}

/// The places that were asked for; all of them if none was.
pub(super) fn chosen(from: &[From]) -> Vec<&'static Place> {
    let wanted = |place: &&Place| from.is_empty() || from.iter().any(|from| from.covers(place));
    PLACES.iter().filter(wanted).collect()
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
        let names =
            |from: &[From]| -> Vec<_> { chosen(from).iter().map(|place| place.name).collect() };
        assert_eq!(
            names(&[From::Broker(Broker::Kafka)]),
            ["order.created.dlt", "order.ended.dlt"]
        );
        assert_eq!(
            names(&[From::Place(&PLACES[1])]),
            ["classification-jobs-dlq"]
        );
        assert_eq!(names(&[]).len(), PLACES.len());
    }
}
