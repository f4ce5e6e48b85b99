//! MailDev: an SMTP server that keeps what it gets, with an API and a page.

use std::fs;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::process::Command;

use super::{DRAIN_LIMIT, Origin, Ready, Server, Site, nothing_to_set_up};
use crate::install::{Program, Recipe, Workshop};
use crate::parts::{Part, address};
use crate::ports::Port;

pub(super) const SERVER: Server = Server {
    part: Part::Mail,
    title: "MailDev 2.2.1",
    origin: Origin::Made(Recipe {
        name: "maildev",
        files: &[
            (
                "package.json",
                include_str!("../../../../../infra/native/maildev/package.json"),
            ),
            (
                "package-lock.json",
                include_str!("../../../../../infra/native/maildev/package-lock.json"),
            ),
        ],
        made_with: &[Program::NPM],
        run_with: &[Program::NODE],
        takes: "packages by npm, less than a minute",
        make: fetch_packages,
    }),
    commands,
    ready: Ready::Answers(|ports| address::url(ports, Port::Mail) + "/healthz"),
    set_up: nothing_to_set_up,
    patience: DRAIN_LIMIT,
};

/// Exactly what the lock file says, and none of the packages' own scripts.
fn fetch_packages(workshop: &Workshop) -> BoxFuture<'_, anyhow::Result<()>> {
    async {
        let mut npm = workshop.command(Program::NPM);
        npm.args([
            "ci",
            "--omit=dev",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]);
        workshop.run(&mut npm).await
    }
    .boxed()
}

fn commands(site: &Site) -> anyhow::Result<Vec<Command>> {
    fs::create_dir_all(&site.data)?;
    let port = |port| site.ports.of(port).to_string();
    let mut server = Command::new(Program::NODE.name);
    server
        .arg(site.installed.join("node_modules/maildev/bin/maildev"))
        .args(["--ip", "127.0.0.1"])
        .args(["--smtp", &port(Port::Smtp)])
        .args(["--web", &port(Port::Mail)])
        .arg("--mail-directory")
        .arg(&site.data);
    Ok(vec![server])
}
