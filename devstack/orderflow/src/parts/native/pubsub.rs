//! Google's Pub/Sub emulator, which comes with the Google Cloud CLI and from nowhere else: it is run where it is, in
//! whichever version that is. Its messages live in memory.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::process::Command;

use super::java::quick_java;
use super::{DRAIN_LIMIT, Origin, Ready, Server, Site};
use crate::install::{Found, Program};
use crate::parts::{Part, address};
use crate::ports::{Port, Ports};
use crate::settings::PUBSUB_PROJECT;
use crate::topology;

/// Below the folder that `gcloud` is installed in; the name of the jar has its version in it.
const JAR: &str = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar";

/// The emulator tells of each request; a file of these lines makes it tell of what went wrong.
const LOGGING: &str = include_str!("../../../../../infra/native/pubsub/logging.properties");

pub(super) const SERVER: Server = Server {
    part: Part::PubSub,
    title: "Google's Pub/Sub emulator",
    origin: Origin::Found(Found {
        with: &[Program::JAVA, Program::GCLOUD],
        find: || find_jar(&Program::GCLOUD.find().context("gcloud has gone")?),
    }),
    commands,
    ready: Ready::Answers(|ports| {
        format!(
            "{}/v1/projects/{PUBSUB_PROJECT}/topics",
            address::url(ports, Port::PubSub)
        )
    }),
    set_up: create_subscriptions,
    patience: DRAIN_LIMIT,
};

fn create_subscriptions(ports: &Ports) -> BoxFuture<'_, anyhow::Result<()>> {
    async {
        let client = reqwest::Client::builder().build()?;
        topology::create_subscriptions(&client, &address::host(ports, Port::PubSub)).await
    }
    .boxed()
}

/// The newest emulator beside `gcloud`, which is on `PATH` as itself or as a link.
fn find_jar(gcloud: &Path) -> anyhow::Result<PathBuf> {
    let gcloud = gcloud.canonicalize()?;
    let root = gcloud.parent().and_then(Path::parent);
    let pattern = root
        .context("gcloud is in the folder bin of its CLI")?
        .join(JAR);
    let jars = glob::glob(&pattern.display().to_string())?;
    let newest = jars.filter_map(Result::ok).max_by_key(|jar| version(jar));
    newest.context("the Google Cloud CLI is there, its emulator is not: `gcloud components install pubsub-emulator`")
}

/// The numbers in the name of the jar: as text, 0.8.9 would be newer than 0.8.20.
fn version(jar: &Path) -> Vec<u32> {
    let name = jar.file_name().unwrap_or_default().to_string_lossy();
    let numbers = name.split(|character: char| !character.is_ascii_digit());
    numbers.filter_map(|number| number.parse().ok()).collect()
}

fn commands(site: &Site) -> anyhow::Result<Vec<Command>> {
    fs::create_dir_all(&site.data)?;
    let logging = site.data.join("logging.properties");
    fs::write(&logging, LOGGING)?;
    let mut server = quick_java(256);
    server
        .arg(format!(
            "-Djava.util.logging.config.file={}",
            logging.display()
        ))
        .arg("-jar")
        .arg(&site.installed)
        .arg("--host=127.0.0.1")
        .arg(format!("--port={}", site.ports.of(Port::PubSub)));
    Ok(vec![server])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_emulator_is_found_beside_the_real_gcloud() {
        let root = tempfile::tempdir().unwrap();
        let sdk = root.path().join("sdk");
        let lib = sdk.join("platform/pubsub-emulator/lib");
        fs::create_dir_all(sdk.join("bin")).unwrap();
        fs::write(sdk.join("bin/gcloud"), "").unwrap();
        let link = root.path().join("gcloud");
        std::os::unix::fs::symlink(sdk.join("bin/gcloud"), &link).unwrap();

        let message = find_jar(&link).unwrap_err().to_string();
        assert!(message.contains("gcloud components install"), "{message}");

        fs::create_dir_all(&lib).unwrap();
        let jar = |version| lib.join(format!("cloud-pubsub-emulator-{version}-all.jar"));
        for version in ["0.8.9", "0.8.20"] {
            fs::write(jar(version), "").unwrap();
        }
        let newest = jar("0.8.20").canonicalize().unwrap();
        assert_eq!(find_jar(&link).unwrap(), newest);
    }
}
