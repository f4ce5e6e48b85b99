use std::net::SocketAddr;

use clap::Parser;
use url::Url;

/// Writes to customers: takes order.ended from Kafka and sends one mail per order and status.
#[derive(Debug, Clone, Parser)]
#[command(version, about, after_help = telemetry::SETTINGS_HELP)]
pub struct Config {
    /// Address to listen on, for health checks.
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8084")]
    pub listen_addr: SocketAddr,

    #[command(flatten)]
    pub database: web::DatabaseArgs,

    /// URL of the mail server: scheme smtp, or smtps for TLS, and user:password@ before the host to log in.
    #[arg(
        long,
        env = "SMTP_URL",
        hide_env_values = true,
        default_value = "smtp://127.0.0.1:1025",
        value_parser = smtp_url
    )]
    pub smtp_url: Url,

    #[command(flatten)]
    pub kafka: brokers::KafkaArgs,

    #[command(flatten)]
    pub messaging: brokers::MessagingArgs,

    #[command(flatten)]
    pub startup: web::StartupArgs,
}

fn smtp_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "smtp" | "smtps" if url.has_host() => Ok(url),
        _ => Err("it is not smtp://host or smtps://host".to_owned()),
    }
}
