//! The five services, each a process of its own, found beside our own program.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use reqwest::Client;
use tokio::process::Command;

use crate::context::Context;
use crate::keep::Life;
use crate::part_log::PartLog;
use crate::process::{DRAIN_LIMIT, Exit, Process};
use crate::ready::wait_until_answers;
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

/// One life of a service: started, asked whether it is ready, and kept until `life.stop`.
pub(crate) async fn run(
    context: Context,
    service: Service,
    addresses: Arc<Addresses>,
    client: Client,
    life: Life,
) -> anyhow::Result<Exit> {
    let announced = context.screen.starting(service.name());
    let log = context.log_of_life(service.name(), life.is_again)?;
    let process = start(&context, service, &addresses, Arc::clone(&log))?;
    let mut watched = std::pin::pin!(process.watch(life.stop.clone()));
    let url = addresses.service_url(service);
    let ready_url = format!("{url}/readyz");
    let answer = tokio::select! {
        exit = &mut watched => return Ok(exit),
        answer = get_ready(&client, &ready_url, life.is_again) => answer,
    };
    if let Err(how) = answer {
        life.stop.cancel();
        watched.await;
        return Ok(Exit::new(service.name(), how, log.last_lines()));
    }
    announced.ready(&url);
    let _ = life.ready.send(());
    Ok(watched.await)
}

/// The first start is given up after some minutes. Later, somebody may have stopped what the service cannot do without,
/// and it is ready when that is back.
async fn get_ready(client: &Client, url: &str, is_again: bool) -> Result<(), String> {
    loop {
        let answer = wait_until_answers(client, url).await;
        if answer.is_ok() || !is_again {
            return answer;
        }
    }
}

fn start(
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
    context.spawn(service.name(), &command, DRAIN_LIMIT, log)
}
