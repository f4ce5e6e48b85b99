//! The servers' processes, as the stack writes them down.

use std::path::Path;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;

/// What of `run.json` is needed here.
#[derive(Deserialize)]
struct Run {
    children: Vec<Child>,
}

#[derive(Deserialize)]
struct Child {
    name: String,
    process: Process,
}

#[derive(Deserialize)]
struct Process {
    pid: u32,
}

/// The process of a server; `None` when it runs inside the command.
pub(crate) fn pid_of(stack: &Path, server: &str) -> anyhow::Result<Option<u32>> {
    let path = stack.join("run.json");
    let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let run: Run = serde_json::from_slice(&text).context("run.json is not as expected")?;
    let child = run.children.into_iter().find(|child| child.name == server);
    Ok(child.map(|child| child.process.pid))
}

pub(crate) fn signal(pid: u32, which: Signal) -> anyhow::Result<()> {
    kill(Pid::from_raw(pid.cast_signed()), which).with_context(|| format!("{which} to {pid}"))
}
