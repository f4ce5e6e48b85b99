//! The servers' processes, as the stack tells them.

use std::process::Command;

use anyhow::{Context, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;

/// What of `orderflow status --json` is needed here.
#[derive(Deserialize)]
struct Part {
    name: String,
    pid: Option<u32>,
}

/// The process of a server; `None` when it runs inside the command. `orderflow` is the command for its stack.
pub(crate) fn pid_of(mut orderflow: Command, server: &str) -> anyhow::Result<Option<u32>> {
    let output = orderflow.args(["status", "--json"]).output();
    let output = output.context("running orderflow status")?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "orderflow status: {words}");
    let parts: Vec<Part> =
        serde_json::from_slice(&output.stdout).context("its answer is not as expected")?;
    let part = parts.into_iter().find(|part| part.name == server);
    Ok(part.and_then(|part| part.pid))
}

pub(crate) fn signal(pid: u32, which: Signal) -> anyhow::Result<()> {
    kill(Pid::from_raw(pid.cast_signed()), which).with_context(|| format!("{which} to {pid}"))
}
