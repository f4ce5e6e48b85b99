//! The five services, each a process of its own, found beside our own program.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::ensure;
use tokio::process::Command;

use super::wait_until_answers;
use crate::context::Context;
use crate::keep::Life;
use crate::process::{DRAIN_LIMIT, Exit, own_program};
use crate::service::{SERVICES, Service};
use crate::settings::Addresses;

/// Says which services are not built, before anything has started.
pub(crate) fn check_built() -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for service in &SERVICES {
        if !program(service)?.is_file() {
            missing.push(service.name);
        }
    }
    ensure!(
        missing.is_empty(),
        "not built: {}; run `cargo build --workspace` first",
        missing.join(", ")
    );
    Ok(())
}

fn program(service: &Service) -> anyhow::Result<PathBuf> {
    Ok(own_program()?.with_file_name(service.name))
}

/// One life of a service: started, asked whether it is ready, and kept until `life.stop`.
pub(crate) async fn live(
    context: Context,
    service: &'static Service,
    addresses: Arc<Addresses>,
    life: Life,
) -> anyhow::Result<Exit> {
    let starting = context.screen.starting(service.name);
    let log = context.log(service.name, life.is_again)?;
    let mut command = Command::new(program(service)?);
    let settings = addresses.of_service(service).into_iter();
    command.envs(settings.map(|setting| (setting.name, setting.value)));
    let process = context.spawn(service.name, &command, DRAIN_LIMIT, log)?;
    let (is_again, url) = (life.is_again, addresses.service_url(service));
    let address = async {
        let ready = format!("{url}/readyz");
        let mut answer = wait_until_answers(&ready).await;
        // The first start is given up after some minutes. Later, somebody may have stopped what the service cannot do
        // without, and it is ready when that is back.
        while is_again && answer.is_err() {
            answer = wait_until_answers(&ready).await;
        }
        answer.map(|()| url)
    };
    Ok(super::live(process, starting, life, address).await)
}
