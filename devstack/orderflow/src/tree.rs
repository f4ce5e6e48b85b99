//! A process with everything below it, such as PostgreSQL with its backends: counted, frozen and thawed together.

use std::collections::HashSet;

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
    let Ok(mut system) = System::new() else {
        return HashSet::from([root]);
    };
    let what = ProcessRefreshKind::nothing().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    with_descendants([root].into_iter(), &parents(&system))
}

/// Every process with its parent.
pub(crate) fn parents(system: &System) -> Vec<(u32, u32)> {
    let processes = system.processes().iter();
    processes
        .filter_map(|(pid, process)| Some((pid.as_u32(), process.parent()?.as_u32())))
        .collect()
}

/// `roots` and everything below them, given pairs of child and parent.
pub(crate) fn with_descendants(
    roots: impl Iterator<Item = u32>,
    parents: &[(u32, u32)],
) -> HashSet<u32> {
    let mut found: HashSet<u32> = roots.collect();
    loop {
        let before = found.len();
        let children = parents
            .iter()
            .filter(|(_, parent)| found.contains(parent))
            .map(|(child, _)| *child);
        let children: Vec<u32> = children.collect();
        found.extend(children);
        if found.len() == before {
            return found;
        }
    }
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
        let parents = [(2, 1), (3, 2), (4, 9), (5, 3)];
        assert_eq!(
            with_descendants([1, 2].into_iter(), &parents),
            HashSet::from([1, 2, 3, 5])
        );
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
}
