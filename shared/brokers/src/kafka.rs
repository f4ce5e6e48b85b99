use clap::Args;
use otel_messaging::kafka::Client;
use rdkafka::ClientConfig;

use crate::address;

/// Where Kafka is.
#[derive(Debug, Clone, Args)]
#[group(id = "kafka")]
pub struct KafkaArgs {
    /// Kafka's bootstrap servers, as host:port, several with commas.
    #[arg(long, env = "KAFKA_BROKERS", default_value = "127.0.0.1:9092", value_parser = address::hosts)]
    pub kafka_brokers: String,
}

impl KafkaArgs {
    /// A client, which connects when it is needed.
    pub fn client(&self) -> Client {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.kafka_brokers);
        Client::new(config)
    }

    /// Where it is, as `host:port`, several with commas.
    pub fn address(&self) -> &str {
        &self.kafka_brokers
    }
}
