use std::net::SocketAddr;

use clap::Parser;

use crate::faults::Fault;

/// Serves OpenAI's embeddings API with a small deterministic model.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8090")]
    pub listen_addr: SocketAddr,

    /// What goes wrong on purpose, several with commas: `unavailable[:times]` (503), `rate_limit[:times]` (429), `hang_up[:times]`, each for the first requests of a text or for all; `refuse:<word>` (400 for texts with that word); `slow:<milliseconds>`.
    #[arg(long, env = "FAULT_EMBEDDINGS", value_delimiter = ',')]
    pub fault_embeddings: Vec<Fault>,
}
