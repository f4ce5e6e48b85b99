//! `make chaos`.

use std::process::ExitCode;

use chaos::Args;
use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if args.list {
        for cell in args.cells() {
            println!("{cell}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let report = chaos::run(&args).await?;
    Ok(if report.balances() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
