//! The settings of this service, and its `--help`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, value_parser};

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

    /// Milliseconds that each hold takes longer on purpose, to see what a slow service looks like.
    #[arg(long, env = "FAULT_INVENTORY_DELAY_MS", default_value_t = 0, value_parser = value_parser!(u64).range(..=60_000))]
    pub fault_inventory_delay_ms: u64,
}

impl Config {
    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.fault_inventory_delay_ms)
    }
}
