use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, value_parser};

/// Takes orders in, and takes them to their end: writes orders and their events, learns what became of them.
#[derive(Debug, Clone, Parser)]
#[command(version, about, after_help = telemetry::SETTINGS_HELP)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8081")]
    pub listen_addr: SocketAddr,

    /// Seconds after which the event of an order that is still pending is sent again; each further wait is twice as long.
    #[arg(long, env = "ORDERS_RESEND_AFTER_SECONDS", default_value_t = 120, value_parser = value_parser!(u64).range(1..=86_400))]
    pub orders_resend_after_seconds: u64,

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

impl Config {
    /// How long an order may be pending before its event is sent again.
    pub fn resend_after(&self) -> Duration {
        Duration::from_secs(self.orders_resend_after_seconds)
    }
}
