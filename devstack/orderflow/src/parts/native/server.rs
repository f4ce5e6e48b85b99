//! Starts one real server, waits until it takes requests, and keeps it until it is asked to stop.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use reqwest::Client;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::sleep;

use super::{Ready, Server, Site};
use crate::keep::Life;
use crate::parts::{Context, address};
use crate::ports::Ports;
use crate::process::{Exit, Process};
use crate::ready::wait_until_answers;
use crate::rundir::ProcessId;

/// One question; the next is asked soon enough.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const ASK_EVERY: Duration = Duration::from_millis(50);

/// One life: starts `server`, sets it up, says so on `life.ready`, and keeps it until `life.stop`.
pub(crate) async fn run(
    context: Context,
    server: Server,
    site: Site,
    life: Life,
) -> anyhow::Result<Exit> {
    let name = server.part.name();
    let announced = context.screen.starting(name);
    let mut commands = (server.commands)(&site)?;
    let mut command = commands.pop().context("a server is a command")?;
    tokio::select! {
        done = run_steps(name, commands) => done?,
        () = life.stop.cancelled() => bail!("stopped while starting"),
    }
    let mut process = Process::spawn(name, &mut command, context.quiet_log(name, &life)?)?;
    process.patience = server.patience;
    context.record(name, process.id.clone())?;
    let pid = process.id.as_ref().map(|id| id.pid);
    let mut watched = std::pin::pin!(process.watch(life.stop, context.kill.clone()));
    tokio::select! {
        exit = &mut watched => return Ok(exit),
        done = get_ready(server, &site.ports) => done?,
    }
    // A launcher on `PATH` may have given its process to the real program by now, which is then found by another name.
    context.record(name, pid.and_then(ProcessId::of))?;
    let address = address::of(server.part, &site.ports);
    announced.ready(&format!("{address}  {}", server.title));
    // Nobody listens when the start was given up; the stop that follows is then at once.
    let _ = life.ready.send(());
    Ok(watched.await)
}

/// What has to be done before the server can start.
async fn run_steps(name: &str, steps: Vec<Command>) -> anyhow::Result<()> {
    for mut step in steps {
        let output = step
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("preparing {name}"))?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "preparing {name}: {}: {}",
            output.status,
            words.trim()
        );
    }
    Ok(())
}

async fn get_ready(server: Server, ports: &Ports) -> anyhow::Result<()> {
    let client = Client::builder().timeout(ANSWER_LIMIT).build()?;
    match server.ready {
        Ready::Answers(url) => {
            let answered = wait_until_answers(&client, &url(ports)).await;
            answered.map_err(anyhow::Error::msg)?;
        }
        Ready::Listens(address) => wait_until_listening(&address(ports)).await,
    }
    (server.set_up)(ports).await
}

/// Without a limit of its own: the server's end is noticed elsewhere, and whoever waits may stop us.
async fn wait_until_listening(address: &str) {
    while TcpStream::connect(address).await.is_err() {
        sleep(ASK_EVERY).await;
    }
}
