//! What an earlier command left running because it was killed itself.

use futures::future::join_all;
use nix::sys::signal::Signal;

use super::{Child, Run, RunDir, thaw};
use crate::process::DRAIN_LIMIT;
use crate::service::Service;

/// Stops the processes that `run.json` of a dead command names, and tells their names.
/// Holding the lock proves that the command is dead; a pid that now belongs to somebody else is left alone.
pub(crate) async fn stop_leftovers(folder: &RunDir) -> anyhow::Result<Vec<String>> {
    let Some(run) = Run::read(folder.path())? else {
        return Ok(Vec::new());
    };
    let alive: Vec<Child> = run
        .children
        .iter()
        .filter(|child| child.process.is_running())
        .cloned()
        .collect();
    // The servers were started first and go last: the services still write to them.
    let (services, servers) = alive.iter().partition(|child| is_service(child));
    stop_all(services).await;
    stop_all(servers).await;
    run.end()?;
    Ok(alive
        .into_iter()
        .map(|child| format!("{} (pid {})", child.name, child.process.pid))
        .collect())
}

fn is_service(child: &Child) -> bool {
    Service::ALL
        .iter()
        .any(|service| service.name() == child.name)
}

async fn stop_all(children: Vec<&Child>) {
    join_all(children.into_iter().map(stop)).await;
}

async fn stop(child: &Child) {
    child.process.signal(polite_signal(child));
    // One that was paused would not notice; the signal waits for it.
    if child.process.is_running() {
        thaw(child.process.pid);
    }
    if !child.process.gone_within(DRAIN_LIMIT).await {
        child.process.signal(Signal::SIGKILL);
        child.process.gone_within(DRAIN_LIMIT).await;
    }
}

/// PostgreSQL waits for its clients on SIGTERM and does not on SIGINT ("fast shutdown").
fn polite_signal(child: &Child) -> Signal {
    if child.name == "postgres" {
        Signal::SIGINT
    } else {
        Signal::SIGTERM
    }
}
