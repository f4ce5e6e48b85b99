//! `orderflow down`: stops the stack of this folder from another terminal, and waits for what a killed one left behind.

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use nix::sys::signal::Signal;

use crate::rundir::{free_within, try_lock};
use crate::screen::{Screen, Show};
use crate::stack::STOP_LIMIT;
use crate::tree;

pub(crate) async fn run(dir: &Path) -> anyhow::Result<ExitCode> {
    let screen = Screen::new(Show::Everything);
    let held = dir.exists().then(|| try_lock(dir)).transpose()?;
    let who = match held.and_then(Result::err) {
        None => {
            screen.tell(&format!("nothing is running in {}", dir.display()));
            screen.flush();
            return Ok(ExitCode::SUCCESS);
        }
        Some(Some(pid)) => {
            screen.tell(&format!("stopping orderflow (pid {pid})"));
            tree::send(pid, Signal::SIGTERM);
            format!("orderflow (pid {pid})")
        }
        Some(None) => {
            screen.tell("waiting until what a killed run left has ended");
            "what a killed run left".to_owned()
        }
    };
    let limit = STOP_LIMIT.as_secs();
    let is_free = free_within(dir, STOP_LIMIT).await?;
    ensure!(is_free, "{who} did not stop within {limit} s");
    screen.tell("stopped");
    screen.flush();
    Ok(ExitCode::SUCCESS)
}
