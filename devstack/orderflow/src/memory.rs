//! How much memory the running stack takes.

use std::collections::HashSet;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::rundir::Run;

/// The sum over all processes of a stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident set sizes added up. Pages that processes share (PostgreSQL's buffers) count once per process,
    /// so this is never less than what the stack really takes.
    pub(crate) bytes: u64,
    pub(crate) processes: usize,
}

/// Adds up the command, its children and theirs, such as PostgreSQL's backends.
pub(crate) fn of_stack(run: &Run) -> Option<Memory> {
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let roots = run
        .children
        .iter()
        .map(|child| child.process.pid)
        .chain([run.command.pid]);
    let pids = with_descendants(roots, &parents(&system));
    let memory = pids
        .iter()
        .filter_map(|pid| system.process(Pid::from_u32(*pid)));
    Some(Memory {
        bytes: memory.map(sysinfo::Process::memory).sum(),
        processes: pids.len(),
    })
}

fn parents(system: &System) -> Vec<(u32, u32)> {
    let processes = system.processes().iter();
    processes
        .filter_map(|(pid, process)| Some((pid.as_u32(), process.parent()?.as_u32())))
        .collect()
}

/// `roots` and everything below them, given pairs of child and parent.
fn with_descendants(roots: impl Iterator<Item = u32>, parents: &[(u32, u32)]) -> HashSet<u32> {
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
    use super::*;

    #[test]
    fn finds_children_and_grandchildren_and_counts_none_twice() {
        let parents = [(2, 1), (3, 2), (4, 9), (5, 3)];
        assert_eq!(
            with_descendants([1, 2].into_iter(), &parents),
            HashSet::from([1, 2, 3, 5])
        );
    }
}
