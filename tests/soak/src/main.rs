//! Two members of a Kafka consumer group that are killed and started at random under load, and a judge of what they did.

mod calls;
mod judge;
mod load;
mod member;
mod processes;
mod record;
mod run;
mod topic;

use std::process::ExitCode;

use clap::Parser;

/// Runs a consumer group whose members are killed at random, and judges what they did.
#[derive(Debug, Parser)]
enum Command {
    /// Starts the load and the members, and judges them at the end.
    Run(run::Args),
    /// One member of the group, as `run` starts it.
    Member(member::Args),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Command::parse() {
        Command::Run(args) => run::run(args).await,
        Command::Member(args) => member::run(args).await.map(|()| ExitCode::SUCCESS),
    }
}
