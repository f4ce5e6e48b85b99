//! How much memory the running stack takes.

use std::fs;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::tree::{parents, with_descendants};

/// The sum over all processes of a stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Proportional set sizes added up: a page that processes share, such as PostgreSQL's buffers, counts once.
    /// Where the system does not tell them, resident set sizes, in which it counts once per process.
    pub(crate) bytes: u64,
    pub(crate) processes: usize,
}

/// Adds up the process `command`, its children and theirs, such as PostgreSQL's backends.
pub(crate) fn of_stack(command: u32) -> Option<Memory> {
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let pids = with_descendants([command].into_iter(), &parents(&system));
    let resident = |pid| {
        system
            .process(Pid::from_u32(pid))
            .map_or(0, sysinfo::Process::memory)
    };
    let bytes = pids
        .iter()
        .map(|pid| proportional(*pid).unwrap_or_else(|| resident(*pid)))
        .sum();
    Some(Memory {
        bytes,
        processes: pids.len(),
    })
}

/// Linux alone has it, and lets us read it for processes of our own user, or of any as root.
fn proportional(pid: u32) -> Option<u64> {
    parse_pss(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?)
}

fn parse_pss(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_proportional_set_size() {
        let rollup = "55d0-7ffe ---p 00000000 00:00 0    [rollup]\nRss:      2048 kB\nPss:      1024 kB\nPss_Dirty: 8 kB\n";
        assert_eq!(parse_pss(rollup), Some(1024 * 1024));
        assert_eq!(parse_pss(""), None);
    }
}
