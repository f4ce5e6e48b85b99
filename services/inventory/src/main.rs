//! Settings, telemetry, run, flush.

use std::process::ExitCode;

use inventory::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = web::parse();
    web::exit(start(config).await)
}

async fn start(config: Config) -> anyhow::Result<()> {
    let telemetry = telemetry::start("inventory")?;
    let result = run(config).await;
    // After an error too: the last spans explain it.
    telemetry.stop().await;
    result
}

async fn run(config: Config) -> anyhow::Result<()> {
    let shutdown = web::shutdown_signal()?;
    let listener = web::bind(config.listen_addr).await?;
    Box::pin(inventory::run(config, listener, shutdown)).await
}
