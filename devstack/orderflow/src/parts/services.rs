//! The five services, each a process of its own, found beside our own program.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use tokio::process::Command;

use super::Context;
use crate::process::Process;
use crate::screen::PartLog;
use crate::service::Service;
use crate::settings::Addresses;

/// Says which services are not built, before anything has started.
pub(crate) fn check_built() -> anyhow::Result<()> {
    let all = Service::ALL.map(|service| program(service).map(|path| (service, path)));
    let mut missing = Vec::new();
    for found in all {
        let (service, path) = found?;
        if !path.is_file() {
            missing.push(service.name());
        }
    }
    ensure!(
        missing.is_empty(),
        "not built: {}; run `cargo build --workspace` first",
        missing.join(", ")
    );
    Ok(())
}

fn program(service: Service) -> anyhow::Result<PathBuf> {
    let ours = std::env::current_exe().context("finding our own program")?;
    Ok(ours.with_file_name(service.name()))
}

/// Starts one service, and writes it down before it can say on `/readyz` that it is ready: who reads that everything is
/// ready then finds every process.
pub(crate) fn start(
    context: &Context,
    service: Service,
    addresses: &Addresses,
    log: Arc<PartLog>,
) -> anyhow::Result<Process> {
    let settings = addresses.of_service(service);
    let mut command = Command::new(program(service)?);
    command.envs(
        settings
            .into_iter()
            .map(|setting| (setting.name, setting.value)),
    );
    let process = Process::spawn(service.name(), &mut command, log)?;
    context.record(process.name, process.id.clone())?;
    Ok(process)
}
