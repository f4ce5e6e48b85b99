//! `orderflow up`: everything started, and kept until it is asked to stop, here or in the background.

mod announce;
mod detached;

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use self::announce::tell_ready;
use crate::screen::Show;
use crate::stack::{Extent, StackArgs, with_stack};

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Return once everything is ready, and leave it running until `orderflow down`.
    #[arg(long, conflicts_with = "for_test")]
    detach: bool,
    /// What `--detach` starts.
    #[arg(long, hide = true)]
    in_background: bool,
    /// Start the servers and none of the services: `orderflow env` tells where they are.
    #[arg(long)]
    only_servers: bool,
    #[command(flatten)]
    stack: StackArgs,
}

pub(crate) async fn run(dir: &Path, args: UpArgs) -> anyhow::Result<ExitCode> {
    let extent = if args.only_servers {
        Extent::Servers
    } else {
        Extent::Everything
    };
    if args.detach {
        return detached::run(dir, extent).await;
    }
    let show = Show::Everything;
    with_stack(dir, args.stack, extent, show, async |screen, addresses| {
        // In the background, whoever started us tells it.
        if !args.in_background {
            tell_ready(screen, addresses, extent, "Ctrl-C");
        }
        std::future::pending().await
    })
    .await
}
