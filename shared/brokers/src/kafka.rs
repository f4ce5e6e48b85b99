use clap::Args;
use clap::builder::{EnumValueParser, TypedValueParser};
use otel_messaging::kafka::Client;
use rdkafka::ClientConfig;

mod oauth;
mod security;

pub use oauth::OauthArgs;
pub use security::{Compression, KafkaSecurityArgs, SaslMechanism, SecurityProtocol};

use crate::address;

/// Where Kafka is, and as whom it is used.
#[derive(Debug, Clone, Args)]
#[group(id = "kafka")]
pub struct KafkaArgs {
    /// Kafka's bootstrap servers, as host:port, several with commas.
    #[arg(long, env = "KAFKA_BROKERS", default_value = "127.0.0.1:9092", value_parser = address::hosts)]
    pub kafka_brokers: String,

    /// How records are compressed; zstd needs a build with the feature kafka-tls.
    #[arg(
        long,
        env = "KAFKA_COMPRESSION_TYPE",
        ignore_case = true,
        value_parser = EnumValueParser::<Compression>::new().try_map(Compression::if_built_in)
    )]
    pub kafka_compression_type: Option<Compression>,

    #[command(flatten)]
    pub security: KafkaSecurityArgs,
}

impl KafkaArgs {
    /// A client, which connects when it is needed.
    pub fn client(&self) -> Client {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.kafka_brokers);
        if let Some(compression) = self.kafka_compression_type {
            config.set("compression.type", compression.name());
        }
        self.security.configure(&mut config);
        let client = Client::new(config);
        match self.security.oauth.tokens() {
            Some(tokens) if self.security.has_tokens() => client.with_tokens(tokens),
            _ => client,
        }
    }

    /// Where it is, as `host:port`, several with commas.
    pub fn address(&self) -> &str {
        &self.kafka_brokers
    }
}

#[cfg(test)]
mod tests;
