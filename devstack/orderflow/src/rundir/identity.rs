//! Which process exactly: a pid alone may belong to a stranger by the time it is looked at again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::{Signal, kill};
use serde::{Deserialize, Serialize};
use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

/// The start time is computed from the boot time, which moves by a second when the clock is adjusted.
const START_TIME_TOLERANCE_SECONDS: u64 = 2;

/// How often a process that is not our child is asked whether it has gone.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A process by its pid, its start time (seconds since 1970) and its executable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    pub(crate) pid: u32,
    started: u64,
    exe: PathBuf,
}

impl ProcessId {
    /// The process that asks.
    pub(crate) fn current() -> anyhow::Result<Self> {
        Self::of(std::process::id()).context("this process is not in the process table")
    }

    /// What runs under this pid now.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let mut system = System::new().ok()?;
        let pid = Pid::from_u32(pid);
        let what = ProcessRefreshKind::nothing().with_exe(UpdateKind::Always);
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
        let process = system.process(pid)?;
        // A zombie has ended; only its parent has not asked yet.
        if matches!(
            process.status(),
            ProcessStatus::Zombie | ProcessStatus::Dead
        ) {
            return None;
        }
        Some(Self {
            pid: pid.as_u32(),
            started: process.start_time(),
            exe: process.exe().unwrap_or(Path::new("")).into(),
        })
    }

    /// Whether this very process, and not a later one with its pid, is running.
    pub(crate) fn is_running(&self) -> bool {
        Self::of(self.pid).is_some_and(|now| self.is_same_as(&now))
    }

    fn is_same_as(&self, now: &Self) -> bool {
        self.exe == now.exe && self.began_with(now)
    }

    fn began_with(&self, now: &Self) -> bool {
        self.started.abs_diff(now.started) <= START_TIME_TOLERANCE_SECONDS
    }

    /// Whether nothing of the process is left. While it exits, its executable can no longer be read, and its ports
    /// may still be taken: so it is asked for by its start time alone.
    fn is_gone(&self) -> bool {
        Self::of(self.pid).is_none_or(|now| !self.began_with(&now))
    }

    /// Sends the signal, unless the process has gone.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.is_running() {
            send(self.pid, signal);
        }
    }

    /// Waits until the process has gone; `false` when it has not within `limit`.
    pub(crate) async fn gone_within(&self, limit: Duration) -> bool {
        let gone = async {
            while !self.is_gone() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        tokio::time::timeout(limit, gone).await.is_ok()
    }
}

/// Sends a signal. That the process ended a moment ago is no error: it is what we want.
pub(crate) fn send(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        let _ = kill(nix::unistd::Pid::from_raw(pid), signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_is_recognised() {
        assert!(ProcessId::current().unwrap().is_running());
    }

    #[test]
    fn a_stranger_under_the_same_pid_is_not_taken_for_ours() {
        let us = ProcessId::current().unwrap();
        assert!(
            !ProcessId {
                started: us.started - 60,
                ..us.clone()
            }
            .is_running()
        );
        assert!(
            !ProcessId {
                exe: "/usr/bin/other".into(),
                ..us.clone()
            }
            .is_running()
        );
    }

    #[test]
    fn a_clock_that_was_adjusted_by_a_second_does_not_hide_a_process() {
        let us = ProcessId::current().unwrap();
        assert!(
            ProcessId {
                started: us.started + 1,
                ..us.clone()
            }
            .is_running()
        );
    }

    #[tokio::test]
    async fn a_child_that_was_killed_and_not_yet_reaped_counts_as_gone() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        assert!(id.is_running());

        id.signal(Signal::SIGKILL);

        assert!(id.gone_within(Duration::from_secs(5)).await);
        child.wait().unwrap();
    }
}
