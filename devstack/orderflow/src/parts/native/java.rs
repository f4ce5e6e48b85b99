//! Java programs, whose jars Maven resolves.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::process::Command;

use crate::install::{Program, Workshop};

/// Copies what the folder's `pom.xml` names, and all that it needs, into `jars`.
pub(super) fn fetch_jars(workshop: &Workshop) -> BoxFuture<'_, anyhow::Result<()>> {
    async {
        let mut maven = workshop.command(Program::MAVEN);
        maven.args([
            "--batch-mode",
            "--quiet",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            "-DoutputDirectory=jars",
        ]);
        workshop.run(&mut maven).await
    }
    .boxed()
}

/// A Java virtual machine for one small server: one core's worth of collector, and at most `megabytes` of heap.
pub(super) fn java(megabytes: u16) -> Command {
    let mut command = Command::new(Program::JAVA.name);
    command
        .arg(format!("-Xmx{megabytes}m"))
        .args(["-XX:+UseSerialGC", "-XX:-UsePerfData"]);
    command
}

/// The same for an emulator, of which a quick start is wanted and no speed record: without the second compiler.
pub(super) fn quick_java(megabytes: u16) -> Command {
    let mut command = java(megabytes);
    command.arg("-XX:TieredStopAtLevel=1");
    command
}

/// The jars of `installed`, in a fixed order: the first of two classes of one name wins.
pub(super) fn class_path(installed: &Path) -> anyhow::Result<String> {
    let folder = installed.join("jars");
    let jars =
        std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let jars: Result<Vec<PathBuf>, _> = jars.map(|jar| jar.map(|jar| jar.path())).collect();
    let mut jars: Vec<_> = jars?.iter().map(|jar| jar.display().to_string()).collect();
    ensure!(!jars.is_empty(), "{} is empty: remove it", folder.display());
    jars.sort();
    Ok(jars.join(":"))
}
