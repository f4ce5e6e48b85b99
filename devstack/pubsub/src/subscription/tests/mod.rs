//! Every test has its own clock: seconds since its start.

use std::time::Duration;

use super::*;
use crate::flow::Limits;
use crate::settings::DeadLetter;

mod delivery;
mod failures;
mod ordering;
mod streams;

struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn at(&self, seconds: u64) -> Instant {
        self.0 + Duration::from_secs(seconds)
    }
}

fn settings() -> Settings {
    Settings {
        name: "projects/p/subscriptions/orders".to_owned(),
        topic: "projects/p/topics/orders".to_owned(),
        ack_deadline_seconds: 10,
        enable_message_ordering: false,
        dead_letter_policy: None,
        retry_policy: None,
    }
}

fn with_dead_letter() -> Settings {
    Settings {
        dead_letter_policy: Some(DeadLetter {
            dead_letter_topic: "projects/p/topics/dead".to_owned(),
            max_delivery_attempts: 5,
        }),
        ..settings()
    }
}

fn subscription(settings: Settings) -> Subscription {
    Subscription::new(settings)
}

fn message(data: &str) -> Arc<PubsubMessage> {
    keyed(data, "")
}

fn keyed(data: &str, key: &str) -> Arc<PubsubMessage> {
    Arc::new(PubsubMessage {
        data: data.to_owned().into(),
        ordering_key: key.to_owned(),
        ..PubsubMessage::default()
    })
}

fn published_at(data: &str, seconds: i64) -> Arc<PubsubMessage> {
    Arc::new(PubsubMessage {
        data: data.to_owned().into(),
        publish_time: Some(Timestamp { seconds, nanos: 0 }),
        ..PubsubMessage::default()
    })
}

fn data(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries
        .iter()
        .map(|delivery| str::from_utf8(&delivery.message.data).unwrap())
        .collect()
}

fn limits(messages: usize, bytes: usize) -> Limits {
    Limits { messages, bytes }
}

const DEADLINE: Duration = Duration::from_secs(10);
