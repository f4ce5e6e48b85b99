//! The endpoint as a process of its own, for the modes that run real servers.

use std::process::ExitCode;

use embeddings::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = web::parse();
    tracing_subscriber::fmt().init();
    web::exit(run(config).await)
}

async fn run(config: Config) -> anyhow::Result<()> {
    let shutdown = web::shutdown_signal()?;
    let listener = web::bind(config.listen_addr).await?;
    embeddings::serve_with_faults(listener, config.fault_embeddings, shutdown).await
}
