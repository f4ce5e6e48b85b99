//! Kafka: context in record headers, retry in place, a dead-letter topic.

mod consumer;
mod membership;
mod partition;
mod producer;

use clap::Args;
use rdkafka::ClientConfig;

pub use consumer::Consumer;
pub use membership::Membership;
pub use producer::Producer;

use crate::error::ConnectError;
use crate::settings;
use crate::span::Destination;

const SYSTEM: &str = "kafka";

/// Where Kafka is.
#[derive(Debug, Clone, Args)]
#[group(id = "kafka")]
pub struct Address {
    /// Kafka's bootstrap servers, as host:port, several with commas.
    #[arg(long, env = "KAFKA_BROKERS", default_value = "127.0.0.1:9092", value_parser = settings::hosts)]
    pub kafka_brokers: String,
}

impl Address {
    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.kafka_brokers);
        client
    }

    fn destination(&self, topic: &str) -> Destination {
        let first = self.kafka_brokers.split(',').next().unwrap_or_default();
        Destination::new(SYSTEM, topic, first)
    }
}

fn refused(reason: &impl ToString) -> ConnectError {
    ConnectError(reason.to_string())
}
