use std::net::SocketAddr;

use clap::Parser;
use url::Url;

/// Classifies orders: takes order.created from Kafka, works classification jobs from SQS, publishes order.classified.
#[derive(Debug, Clone, Parser)]
#[command(version, about, after_help = telemetry::SETTINGS_HELP)]
pub struct Config {
    /// Address to listen on, for health checks.
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8083")]
    pub listen_addr: SocketAddr,

    /// Base URL of the inventory service.
    #[arg(long, env = "INVENTORY_URL", default_value = "http://127.0.0.1:8082", value_parser = web::base_url)]
    pub inventory_url: Url,

    /// Base URL of an OpenAI-compatible API, with its version path.
    #[arg(
        long,
        env = "OPENAI_BASE_URL",
        default_value = "http://127.0.0.1:8090/v1",
        value_parser = web::base_url
    )]
    pub openai_base_url: Url,

    /// Key of that API, if it wants one.
    #[arg(
        long,
        env = "OPENAI_API_KEY",
        hide_env_values = true,
        default_value = ""
    )]
    pub openai_api_key: String,

    /// Embeddings model to ask for.
    #[arg(
        long,
        env = "OPENAI_EMBEDDINGS_MODEL",
        default_value = "orderflow-hash-256"
    )]
    pub openai_embeddings_model: String,

    #[command(flatten)]
    pub kafka: brokers::KafkaArgs,

    #[command(flatten)]
    pub sqs: brokers::SqsArgs,

    #[command(flatten)]
    pub pubsub: brokers::PubsubArgs,

    #[command(flatten)]
    pub messaging: brokers::MessagingArgs,

    #[command(flatten)]
    pub faults: telemetry::Faults,
}
