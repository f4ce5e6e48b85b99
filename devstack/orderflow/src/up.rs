//! `orderflow up`: everything started, and kept until it is asked to stop, here or in the background.

mod detached;

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use crate::screen::{Screen, Show};
use crate::settings::Addresses;
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
    if args.detach {
        return detached::run(dir).await;
    }
    let extent = if args.only_servers {
        Extent::Servers
    } else {
        Extent::Everything
    };
    with_stack(
        dir,
        args.stack,
        extent,
        Show::Everything,
        async |screen, addresses| {
            tell_addresses(screen, addresses, extent);
            screen.tell(if args.in_background {
                "`orderflow traffic` sends orders, `orderflow down` stops everything\n"
            } else {
                "Ctrl-C stops everything; `orderflow traffic` in another terminal sends orders\n"
            });
            std::future::pending().await
        },
    )
    .await
}

fn tell_addresses(screen: &Screen, addresses: &Addresses, extent: Extent) {
    let (gateway, traces, mail) = (
        addresses.gateway_url(),
        addresses.jaeger_url(),
        addresses.mail_url(),
    );
    if extent == Extent::Servers {
        screen.tell(&format!(
            "\nready: traces at {traces}, mail at {mail}; `orderflow env` tells the rest"
        ));
        return;
    }
    screen.tell(&format!(
        "\nready: orders at {gateway}/orders, traces at {traces}, mail at {mail}"
    ));
}
