//! The command of this workspace, in the profile that the tests are built in.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

/// Where the command is; built when it is not there yet.
pub(crate) fn find_or_build() -> anyhow::Result<PathBuf> {
    let ours = std::env::current_exe()?;
    let folder = ours.parent().context("a program is in a folder")?;
    // Tests run from target/<profile>/deps, programs from target/<profile>.
    let tests = folder.file_name().is_some_and(|name| name == "deps");
    let profile = folder.parent().filter(|_| tests).unwrap_or(folder);
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
