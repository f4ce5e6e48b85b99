//! PostgreSQL, with a database per service.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{anyhow, bail};
use futures::future::try_join_all;
use nix::sys::signal::Signal;
use postgres_server::{Options, Server};
use tokio_util::sync::CancellationToken;

use super::Context;
use crate::keep::Life;
use crate::process::{DRAIN_LIMIT, Exit};
use crate::rundir::{self, ProcessId};

pub(crate) const NAME: &str = "postgres";

/// One for each service that keeps something.
pub(crate) const DATABASES: [&str; 3] = ["orders", "inventory", "email"];

/// Longer than a new data folder takes on a slow machine; a download is not waited for.
pub(crate) const FINISH_START: Duration = Duration::from_secs(10);

/// One life: starts the server, creates the databases, says so on `life.ready`, and keeps it until `life.stop`.
pub(crate) async fn run(context: Context, port: u16, life: Life) -> anyhow::Result<Exit> {
    let server = start_or_give_up(&context, port, &life.stop).await?;
    // Nobody listens when the start was given up; the stop that follows is then at once.
    let _ = life.ready.send(());
    watch(server, life.stop, &context.kill).await
}

/// Finishes a start that is asked to stop, since half a data folder helps nobody, unless that takes too long.
async fn start_or_give_up(
    context: &Context,
    port: u16,
    stop: &CancellationToken,
) -> anyhow::Result<Server> {
    let line = context.screen.starting(NAME);
    let mut given_up = std::pin::pin!(give_up(stop, &context.kill));
    let mut server = tokio::select! {
        server = launch(context, port) => server?,
        () = &mut given_up => bail!("stopped while starting"),
    };
    let done = tokio::select! {
        done = set_up(context, &mut server) => done,
        () = &mut given_up => Err(anyhow!("stopped while starting")),
    };
    if let Err(error) = done {
        // It holds its folder until it has ended, and the next start needs that.
        stop_in_order(server, &context.kill).await?;
        return Err(error);
    }
    line.ready(&format!(
        "postgres://postgres@127.0.0.1:{port}  (loopback only, no password)"
    ));
    Ok(server)
}

/// The moment from which a start is no longer waited for.
async fn give_up(stop: &CancellationToken, kill: &CancellationToken) {
    stop.cancelled().await;
    tokio::select! {
        () = tokio::time::sleep(FINISH_START) => {}
        () = kill.cancelled() => {}
    }
}

async fn launch(context: &Context, port: u16) -> Result<Server, postgres_server::Error> {
    Server::launch(Options {
        dir: context.folder.data_of(NAME),
        port,
        fsync: true,
        temporary: false,
    })
    .await
}

async fn set_up(context: &Context, server: &mut Server) -> anyhow::Result<()> {
    server.ready().await?;
    context.record(NAME, server.pid().and_then(ProcessId::of))?;
    try_join_all(DATABASES.map(|database| server.create_database(database))).await?;
    Ok(())
}

async fn watch(
    mut server: Server,
    stop: CancellationToken,
    kill: &CancellationToken,
) -> anyhow::Result<Exit> {
    let log = server.log();
    let status = tokio::select! {
        status = server.wait() => status?,
        () = stop.cancelled() => stop_in_order(server, kill).await?,
    };
    let text = std::fs::read_to_string(log).unwrap_or_default();
    Ok(Exit::new(
        NAME,
        how(status),
        text.lines().map(ToOwned::to_owned).collect(),
    ))
}

/// It is a shell's child, and a shell tells of a signal as a number above 128.
fn how(status: ExitStatus) -> String {
    let signal = status.code().and_then(|code| code.checked_sub(128));
    let signal = signal.and_then(|number| Signal::try_from(number).ok());
    match signal {
        Some(signal) => format!("signal: {} ({signal})", signal as i32),
        None => status.to_string(),
    }
}

async fn stop_in_order(server: Server, kill: &CancellationToken) -> anyhow::Result<ExitStatus> {
    let pid = server.pid();
    let mut stopping = std::pin::pin!(server.stop());
    tokio::select! {
        status = &mut stopping => return Ok(status?),
        () = tokio::time::sleep(DRAIN_LIMIT) => {}
        () = kill.cancelled() => {}
    }
    if let Some(pid) = pid {
        // "Immediate shutdown": it does not write its buffers, and recovers at the next start.
        rundir::send(pid, Signal::SIGQUIT);
    }
    Ok(stopping.await?)
}
