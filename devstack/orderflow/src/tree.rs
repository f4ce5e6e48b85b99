//! A process with everything below it, such as PostgreSQL with its backends: frozen and thawed together, and its memory.

use std::collections::HashSet;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// Stops every process of the tree where it stands (SIGSTOP), until [`thaw`]; `freezing` is told of each before.
///
/// From the top, and until none is left that was not told: a process that stands starts no further ones.
pub(crate) fn freeze(root: u32, freezing: impl Fn(&[u32])) {
    let mut frozen = HashSet::new();
    loop {
        let running: Vec<u32> = tree(root).difference(&frozen).copied().collect();
        if running.is_empty() {
            return;
        }
        freezing(&running);
        if frozen.is_empty() {
            send(root, Signal::SIGSTOP);
        }
        for pid in running {
            send(pid, Signal::SIGSTOP);
            frozen.insert(pid);
        }
    }
}

/// Lets every process of the tree go on (SIGCONT). One that was not frozen does not notice.
pub(crate) fn thaw(root: u32) {
    for pid in tree(root) {
        send(pid, Signal::SIGCONT);
    }
}

/// Sends a signal. That the process ended a moment ago is no error: it is what we want.
pub(crate) fn send(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
}

fn tree(root: u32) -> HashSet<u32> {
    let what = ProcessRefreshKind::nothing().without_tasks();
    let tree = processes(what).map(|system| with_descendants(root, &parents(&system)));
    tree.unwrap_or_else(|| HashSet::from([root]))
}

fn processes(what: ProcessRefreshKind) -> Option<System> {
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    Some(system)
}

/// Every process with its parent.
fn parents(system: &System) -> Vec<(u32, u32)> {
    let processes = system.processes().iter();
    processes
        .filter_map(|(pid, process)| Some((pid.as_u32(), process.parent()?.as_u32())))
        .collect()
}

/// `root` and everything below it, given pairs of child and parent.
fn with_descendants(root: u32, parents: &[(u32, u32)]) -> HashSet<u32> {
    let (mut found, mut before) = (HashSet::from([root]), 0);
    while found.len() > before {
        before = found.len();
        let children = parents.iter().filter(|(_, parent)| found.contains(parent));
        let children: Vec<u32> = children.map(|(child, _)| *child).collect();
        found.extend(children);
    }
    found
}

/// How much memory all processes of a stack take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Proportional set sizes added up: a page that processes share, such as PostgreSQL's buffers, counts once.
    /// Where the system does not tell them, resident set sizes, in which it counts once per process.
    pub(crate) bytes: u64,
    pub(crate) processes: usize,
}

/// Adds up the process `command`, its children and theirs, such as PostgreSQL's backends.
pub(crate) fn memory_of(command: u32) -> Option<Memory> {
    let system = processes(ProcessRefreshKind::nothing().with_memory().without_tasks())?;
    let pids = with_descendants(command, &parents(&system));
    let resident = |pid| Some(system.process(sysinfo::Pid::from_u32(pid))?.memory());
    let bytes = pids
        .iter()
        .filter_map(|pid| proportional(*pid).or_else(|| resident(*pid)));
    Some(Memory {
        bytes: bytes.sum(),
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
    use std::process::{Command, Stdio};
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    use sysinfo::ProcessStatus;

    use super::*;

    #[test]
    fn finds_children_and_grandchildren_and_counts_none_twice() {
        let parents = [(2, 1), (3, 2), (4, 9), (5, 3), (3, 1)];
        assert_eq!(with_descendants(1, &parents), HashSet::from([1, 2, 3, 5]));
    }

    fn stands(pid: u32) -> bool {
        let mut system = System::new().unwrap();
        let pid = sysinfo::Pid::from_u32(pid);
        system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
        let process = system.process(pid);
        process.is_some_and(|process| process.status() == ProcessStatus::Stop)
    }

    fn wait_until(condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while !condition() {
            assert!(Instant::now() < deadline, "it has not happened");
        }
    }

    #[test]
    fn a_process_and_its_children_stand_still_and_go_on_together() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 60 & wait"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let root = child.id();
        wait_until(|| tree(root).len() == 2);
        let all = tree(root);

        let told = Mutex::new(HashSet::new());
        freeze(root, |pids| {
            told.lock().unwrap().extend(pids.iter().copied());
        });
        assert_eq!(*told.lock().unwrap(), all);
        wait_until(|| all.iter().all(|pid| stands(*pid)));
        thaw(root);
        wait_until(|| !all.iter().any(|pid| stands(*pid)));

        for pid in all {
            send(pid, Signal::SIGKILL);
        }
        child.wait().unwrap();
    }

    #[test]
    fn reads_the_proportional_set_size() {
        let rollup = "55d0-7ffe ---p 00000000 00:00 0    [rollup]\nRss:      2048 kB\nPss:      1024 kB\nPss_Dirty: 8 kB\n";
        assert_eq!(parse_pss(rollup), Some(1024 * 1024));
        assert_eq!(parse_pss(""), None);
    }
}
