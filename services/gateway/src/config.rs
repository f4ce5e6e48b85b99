//! The settings of this service, and its `--help`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{ArgAction, Parser, value_parser};
use telemetry::http::Trust;
use url::Url;

/// The public door: checks what comes in, and passes it on to the services behind.
#[derive(Debug, Clone, Parser)]
#[command(version, about, after_help = telemetry::SETTINGS_HELP)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8080")]
    pub listen_addr: SocketAddr,

    /// Base URL of the orders service.
    #[arg(long, env = "ORDERS_URL", default_value = "http://127.0.0.1:8081", value_parser = web::base_url)]
    pub orders_url: Url,

    /// Base URL of the inventory service.
    #[arg(long, env = "INVENTORY_URL", default_value = "http://127.0.0.1:8082", value_parser = web::base_url)]
    pub inventory_url: Url,

    /// Milliseconds that a service behind may take to answer.
    #[arg(long, env = "GATEWAY_TIMEOUT_MS", default_value_t = 10_000, value_parser = value_parser!(u64).range(1..))]
    pub gateway_timeout_ms: u64,

    /// Whether a caller's trace is continued, and its baggage taken, instead of beginning a trace that links to it.
    #[arg(long, env = "GATEWAY_TRUST_INCOMING_TRACE", default_value_t = false, action = ArgAction::Set)]
    pub gateway_trust_incoming_trace: bool,

    #[command(flatten)]
    pub startup: web::StartupArgs,

    #[command(flatten)]
    pub faults: telemetry::Faults,
}

impl Config {
    /// How long a service behind may take to answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.gateway_timeout_ms)
    }

    /// What becomes of a caller's trace.
    pub fn trust(&self) -> Trust {
        if self.gateway_trust_incoming_trace {
            Trust::Continue
        } else {
            Trust::Link
        }
    }
}
