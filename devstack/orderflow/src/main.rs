//! The command `orderflow`: the whole system on one machine, and the tools to look at it.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if let Err(error) = orderflow::leave_shell() {
        orderflow::tell_error(&error);
        return ExitCode::FAILURE;
    }
    match orderflow::Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => {
            let Some(words) = orderflow::refusal(&error) else {
                error.exit()
            };
            orderflow::tell_error(&anyhow::Error::msg(words));
            ExitCode::from(2)
        }
    }
}

#[tokio::main]
async fn run(cli: orderflow::Cli) -> ExitCode {
    match orderflow::run(cli).await {
        Ok(code) => code,
        // `orderflow trace … | head` closes our output early; that is no failure worth a message.
        Err(error) if orderflow::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            orderflow::tell_error(&error);
            ExitCode::FAILURE
        }
    }
}
