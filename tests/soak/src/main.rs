//! Two members of a Kafka consumer group that are killed and started at random under load, and a judge of what they did.

mod calls;
mod judge;
mod load;
mod member;
mod processes;
mod run;
mod topic;

use std::process::ExitCode;

use clap::Parser;
use serde::{Deserialize, Serialize};

/// Runs a consumer group whose members are killed at random, and judges what they did.
#[derive(Debug, Parser)]
enum Command {
    /// Starts the load and the members, and judges them at the end.
    Run(run::Args),
    /// One member of the group, as `run` starts it.
    Member(member::Args),
}

/// What is sent: the records of a key are numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
struct Record {
    key: usize,
    sequence: usize,
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "record {} of key {}", self.sequence, self.key)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Command::parse() {
        Command::Run(args) => run::run(args).await,
        Command::Member(args) => member::run(args).await.map(|()| ExitCode::SUCCESS),
    }
}
