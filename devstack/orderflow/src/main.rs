//! The command `orderflow`: the whole system on one machine, and the tools to look at it.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match orderflow::run(orderflow::Cli::parse()).await {
        Ok(code) => code,
        // `orderflow trace … | head` closes our output early; that is no failure worth a message.
        Err(error) if orderflow::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            orderflow::tell_error(&error);
            ExitCode::FAILURE
        }
    }
}
