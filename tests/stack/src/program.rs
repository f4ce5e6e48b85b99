//! The command of this workspace, in the profile that the tests are built in.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

/// Where the command is; built when it is not there yet.
pub(crate) fn find_or_build() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test
        .ancestors()
        .nth(2)
        .context("tests run from target/<profile>/deps")?;
    let program = profile.join("orderflow");
    if !program.exists() {
        build(profile.ends_with("release"))?;
    }
    Ok(program)
}

/// Builds the command together with the services that it starts.
fn build(release: bool) -> anyhow::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--workspace", "--bins"])
        .args(release.then_some("--release"));
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status()?;
    ensure!(status.success(), "building the workspace failed: {status}");
    Ok(())
}
