//! Jaeger v2, built from its Go module. It is its own Collector: OTLP in, query API and page out. Traces live in memory.
//! The module leaves the page out; a crate carries the built one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::process::Command;

use super::{DRAIN_LIMIT, Origin, Ready, Server, Site, nothing_to_set_up};
use crate::install::{Program, Recipe, Workshop};
use crate::parts::{Part, address};
use crate::ports::Port;

/// The module has another version for the same commit, since tags of v2 are no valid versions of it.
const TITLE: &str = "Jaeger 2.13.0";

const MODULE: &str = "github.com/jaegertracing/jaeger";

const SETTINGS: &str = include_str!("../../../../../infra/native/jaeger/jaeger.yaml");

pub(super) const SERVER: Server = Server {
    part: Part::Traces,
    title: TITLE,
    origin: Origin::Made(Recipe {
        name: "jaeger",
        files: &[
            (
                "go.mod",
                include_str!("../../../../../infra/native/jaeger/go.mod"),
            ),
            (
                "go.sum",
                include_str!("../../../../../infra/native/jaeger/go.sum"),
            ),
            (
                "page/Cargo.toml",
                include_str!("../../../../../infra/native/jaeger/page/Cargo.toml"),
            ),
            (
                "page/Cargo.lock",
                include_str!("../../../../../infra/native/jaeger/page/Cargo.lock"),
            ),
        ],
        made_with: &[Program::GO, Program::CARGO],
        run_with: &[],
        takes: "a build from source that takes about thirteen minutes of CPU",
        make,
    }),
    commands,
    ready: Ready::Answers(|ports| address::url(ports, Port::Traces) + "/api/v3/services"),
    set_up: nothing_to_set_up,
    patience: DRAIN_LIMIT,
};

fn make(workshop: &Workshop) -> BoxFuture<'_, anyhow::Result<()>> {
    async {
        let version = TITLE.replace("Jaeger ", "v");
        let flags = format!("-s -w -X {MODULE}/internal/version.latestVersion={version}");
        let mut go = workshop.command(Program::GO);
        go.env("CGO_ENABLED", "0")
            .args(["build", "-trimpath", "-ldflags", &flags, "-o", "jaeger"])
            .arg(format!("{MODULE}/cmd/jaeger"));
        workshop.run(&mut go).await?;
        fetch_page(workshop).await
    }
    .boxed()
}

/// Copies the page out of its crate, which Cargo fetches and checks against the lock file.
async fn fetch_page(workshop: &Workshop) -> anyhow::Result<()> {
    let mut metadata = workshop.command(Program::CARGO);
    metadata.args(["metadata", "--locked", "--format-version=1"]);
    metadata.args(["--manifest-path", "page/Cargo.toml"]);
    let output = metadata.kill_on_drop(true).output().await?;
    ensure!(
        output.status.success(),
        "fetching Jaeger's page: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let page = page_folder(&output.stdout)?;
    copy_folder(&page, &workshop.folder.join("ui"))
        .with_context(|| format!("copying {}", page.display()))
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

fn page_folder(metadata: &[u8]) -> anyhow::Result<PathBuf> {
    let Metadata { packages } = serde_json::from_slice(metadata)?;
    let carrier = packages
        .iter()
        .find(|package| package.name == "otlp-embedded");
    let carrier = carrier.context("the crate with Jaeger's page is not there")?;
    Ok(carrier
        .manifest_path
        .with_file_name("jaeger-ui")
        .join("build"))
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn commands(site: &Site) -> anyhow::Result<Vec<Command>> {
    fs::create_dir_all(&site.data)?;
    let settings = site.data.join("jaeger.yaml");
    fs::write(&settings, SETTINGS)?;
    let mut server = Command::new(site.installed.join("jaeger"));
    server.arg("--config").arg(settings);
    server.env("JAEGER_PAGE", site.installed.join("ui"));
    for (name, port) in [
        ("TRACES_PORT", Port::Traces),
        ("OTLP_GRPC_PORT", Port::OtlpGrpc),
        ("OTLP_HTTP_PORT", Port::OtlpHttp),
    ] {
        server.env(name, site.ports.of(port).to_string());
    }
    // Its own spans would stand among ours.
    server.env("OTEL_TRACES_SAMPLER", "always_off");
    Ok(vec![server])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_in_the_crate_that_carries_it() {
        let metadata = br#"{"packages":[
            {"name":"other","manifest_path":"/r/other-1/Cargo.toml"},
            {"name":"otlp-embedded","manifest_path":"/r/otlp-embedded-0.0.2/Cargo.toml"}]}"#;
        assert_eq!(
            page_folder(metadata).unwrap(),
            PathBuf::from("/r/otlp-embedded-0.0.2/jaeger-ui/build")
        );
        assert!(page_folder(br#"{"packages":[]}"#).is_err());
    }

    #[test]
    fn a_folder_is_copied_with_everything_below() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::create_dir_all(from.join("static")).unwrap();
        fs::write(from.join("static/a.js"), "a").unwrap();
        copy_folder(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("static/a.js")).unwrap(), "a");
    }
}
