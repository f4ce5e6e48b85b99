use std::net::SocketAddr;

use clap::Parser;

/// Takes orders in, and takes them to their end: writes orders and their events, learns what became of them.
#[derive(Debug, Clone, Parser)]
#[command(version, about, after_help = telemetry::SETTINGS_HELP)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8081")]
    pub listen_addr: SocketAddr,

    #[command(flatten)]
    pub database: web::DatabaseArgs,

    #[command(flatten)]
    pub kafka: brokers::KafkaArgs,

    #[command(flatten)]
    pub pubsub: brokers::PubsubArgs,

    #[command(flatten)]
    pub messaging: brokers::MessagingArgs,

    #[command(flatten)]
    pub startup: web::StartupArgs,

    #[command(flatten)]
    pub faults: telemetry::Faults,
}
