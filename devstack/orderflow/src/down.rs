//! `orderflow down`: stops the stack of this folder from another terminal, and what a killed one left behind.

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use nix::sys::signal::Signal;

use crate::rundir::{Lock, RunDir, TryLock, stop_leftovers};
use crate::screen::{Screen, Show};
use crate::stack::STOP_LIMIT;

pub(crate) async fn run(dir: &Path) -> anyhow::Result<ExitCode> {
    let screen = Screen::new(Show::Everything);
    if !dir.exists() {
        screen.tell(&format!("nothing is running in {}", dir.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let asked = ask_to_stop(&screen, dir).await?;
    let stopped = stop_leftovers(&RunDir::open(dir)?).await?;
    if !stopped.is_empty() {
        screen.tell(&format!(
            "stopped what a killed run had left: {}",
            stopped.join(", ")
        ));
    } else if !asked {
        screen.tell(&format!("nothing is running in {}", dir.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the command that holds the lock to stop and waits until it has; `false` when nobody holds it.
async fn ask_to_stop(screen: &Screen, dir: &Path) -> anyhow::Result<bool> {
    let TryLock::HeldBy(Some(holder)) = Lock::try_take(dir)? else {
        return Ok(false);
    };
    screen.tell(&format!("stopping orderflow (pid {})", holder.pid));
    holder.signal(Signal::SIGTERM);
    let gone = holder.gone_within(STOP_LIMIT).await;
    ensure!(
        gone,
        "orderflow (pid {}) did not stop within {} s",
        holder.pid,
        STOP_LIMIT.as_secs()
    );
    screen.tell("stopped");
    Ok(true)
}
