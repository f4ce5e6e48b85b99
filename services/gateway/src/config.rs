use std::net::SocketAddr;

use clap::{ArgAction, Parser};
use telemetry::http::Trust;
use url::Url;

/// The public door: checks what callers send, passes it on to orders and inventory, and begins the trace.
#[derive(Debug, Clone, Parser)]
#[command(version, about, after_help = telemetry::SETTINGS_HELP)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8080")]
    pub listen_addr: SocketAddr,

    /// Base URL of the orders service.
    #[arg(long, env = "ORDERS_URL", default_value = "http://127.0.0.1:8081")]
    pub orders_url: Url,

    /// Base URL of the inventory service.
    #[arg(long, env = "INVENTORY_URL", default_value = "http://127.0.0.1:8082")]
    pub inventory_url: Url,

    /// Seconds to wait for a service behind the gateway.
    #[arg(long, env = "UPSTREAM_TIMEOUT_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub upstream_timeout_seconds: u64,

    /// Whether to continue a caller's trace and take its baggage: true, or false to begin a trace and link to theirs.
    #[arg(long, env = "GATEWAY_TRUST_INCOMING_TRACE", action = ArgAction::Set, default_value_t = false)]
    pub gateway_trust_incoming_trace: bool,

    #[command(flatten)]
    pub faults: telemetry::Faults,
}

impl Config {
    pub(crate) fn trust(&self) -> Trust {
        if self.gateway_trust_incoming_trace {
            Trust::Continue
        } else {
            Trust::Link
        }
    }
}
