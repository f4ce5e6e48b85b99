//! The command as a service among the others: what it sends is traced, and the spans go to the stack's trace store.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;
use clap::Args;
use telemetry::Telemetry;

use crate::process::own_program;
use crate::settings::{Addresses, known};
use crate::table::{OTLP_ENDPOINT, usual};

/// Quiet, but for what makes a span be missing.
const LOGS: &str = "warn,opentelemetry=error,opentelemetry_sdk=error,opentelemetry_otlp=error,opentelemetry-otlp=error,librdkafka=off,rdkafka=off";

#[derive(Debug, Args)]
#[command(next_help_heading = "Telemetry")]
pub(super) struct Tracing {
    /// Where the spans go [default: the running stack's trace store, else port `OTLP_GRPC_PORT` or 4317 on 127.0.0.1].
    #[arg(long, env = OTLP_ENDPOINT, value_name = "URL")]
    otlp_endpoint: Option<String>,
    #[arg(long, env = "OTLP_GRPC_PORT", default_value = usual("OTLP_GRPC_PORT"), hide = true)]
    otlp_grpc_port: u16,
    #[arg(long, env = "RUST_LOG", hide = true)]
    rust_log: Option<String>,
    /// The environment is as telemetry wants it.
    #[arg(long, env = "ORDERFLOW_DLQ_TRACED", hide = true)]
    traced: bool,
}

impl Tracing {
    /// Starts telemetry, in a new beginning of this very command: it is configured by the environment alone, as in every
    /// service, and a process cannot safely change its own.
    pub(super) fn start(self, running: Option<&Addresses>) -> anyhow::Result<Telemetry> {
        if self.traced {
            return telemetry::start("orderflow");
        }
        let usual = format!("http://127.0.0.1:{}", self.otlp_grpc_port);
        let endpoint = known(self.otlp_endpoint, running, OTLP_ENDPOINT, usual);
        let error = Command::new(own_program()?)
            .args(std::env::args_os().skip(1))
            .env(OTLP_ENDPOINT, endpoint)
            .env("RUST_LOG", self.rust_log.unwrap_or_else(|| LOGS.to_owned()))
            .env("ORDERFLOW_DLQ_TRACED", "true")
            .exec();
        Err(error).context("starting with the settings of telemetry")
    }
}
