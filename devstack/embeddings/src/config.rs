use std::net::SocketAddr;

use clap::Parser;

/// Serves OpenAI's embeddings API with a small deterministic model.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8090")]
    pub listen_addr: SocketAddr,
}
