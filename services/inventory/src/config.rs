//! The settings of this service, and its `--help`.

use std::net::SocketAddr;

use clap::Parser;

/// Keeps the stock: holds what orders want, and follows order.ended from Kafka, which keeps or releases it.
#[derive(Debug, Clone, Parser)]
#[command(version, about, after_help = telemetry::SETTINGS_HELP)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8082")]
    pub listen_addr: SocketAddr,

    #[command(flatten)]
    pub database: web::DatabaseArgs,

    #[command(flatten)]
    pub kafka: brokers::KafkaArgs,

    #[command(flatten)]
    pub messaging: brokers::MessagingArgs,

    #[command(flatten)]
    pub startup: web::StartupArgs,
}
