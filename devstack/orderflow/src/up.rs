//! `orderflow up`: everything started, and kept until it is asked to stop.

use std::path::Path;
use std::process::ExitCode;

use crate::screen::Show;
use crate::stack::{StackArgs, with_stack};

pub(crate) async fn run(dir: &Path, args: StackArgs) -> anyhow::Result<ExitCode> {
    with_stack(dir, args, Show::Everything, async |screen, addresses| {
        let (gateway, traces, mail) = (
            addresses.gateway_url(),
            addresses.jaeger_url(),
            addresses.mail_url(),
        );
        screen.tell(&format!(
            "\nready: orders at {gateway}/orders, traces at {traces}, mail at {mail}"
        ));
        screen.tell(
            "Ctrl-C stops everything; `orderflow traffic` in another terminal sends orders\n",
        );
        std::future::pending().await
    })
    .await
}
