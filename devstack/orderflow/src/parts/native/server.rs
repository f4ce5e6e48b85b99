//! Starts one real server, waits until it takes requests, and keeps it until it is asked to stop.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use reqwest::Client;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Ready, Server, Site};
use crate::parts::{Context, Part, address};
use crate::ports::{Port, Ports};
use crate::process::{Exit, Process};
use crate::ready::wait_until_answers;
use crate::rundir::ProcessId;
use crate::topology;

/// One question; the next is asked soon enough.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const ASK_EVERY: Duration = Duration::from_millis(50);

/// `ElasticMQ` waits until the last long poll is over, up to 20 seconds, whose client has gone by then.
/// Its messages are on disk.
const PATIENCE_WITH_SQS: Duration = Duration::from_secs(2);

/// Starts `server`, tells its topics to it, says so on `ready`, and keeps it until `stop`.
pub(crate) async fn run(
    context: Context,
    server: Server,
    site: Site,
    ready: oneshot::Sender<()>,
    stop: CancellationToken,
) -> anyhow::Result<Exit> {
    let name = server.part.name();
    let line = context.screen.starting(name);
    let mut commands = (server.commands)(&site)?;
    let mut command = commands.pop().context("a server is a command")?;
    tokio::select! {
        done = run_steps(name, commands) => done?,
        () = stop.cancelled() => bail!("stopped while starting"),
    }
    let mut process = Process::spawn(name, &mut command, context.quiet_log(name)?)?;
    if server.part == Part::Sqs {
        process.patience = PATIENCE_WITH_SQS;
    }
    context.record(name, process.id.clone())?;
    let pid = process.id.as_ref().map(|id| id.pid);
    let mut watched = std::pin::pin!(process.watch(stop, context.kill.clone()));
    tokio::select! {
        exit = &mut watched => return Ok(exit),
        done = get_ready(server, &site.ports) => done?,
    }
    // A launcher on `PATH` may have given its process to the real program by now, which is then found by another name.
    context.record(name, pid.and_then(ProcessId::of))?;
    line.ready(&describe(server, &site.ports));
    // Nobody listens when the start was given up; the stop that follows is then at once.
    let _ = ready.send(());
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
    match server.part {
        Part::Kafka => topology::create_topics(&address::host(ports, Port::Kafka)).await,
        Part::PubSub => {
            let host = address::host(ports, Port::PubSub);
            topology::create_subscriptions(&client, &host).await
        }
        _ => Ok(()),
    }
}

/// Without a limit of its own: the server's end is noticed elsewhere, and whoever waits may stop us.
async fn wait_until_listening(address: &str) {
    while TcpStream::connect(address).await.is_err() {
        sleep(ASK_EVERY).await;
    }
}

fn describe(server: Server, ports: &Ports) -> String {
    let address = match server.part {
        Part::Kafka => address::host(ports, Port::Kafka),
        Part::Mail => address::mail(ports),
        Part::Traces => address::traces(ports),
        part => address::url(ports, part.ports()[0]),
    };
    format!("{address}  {}", server.title)
}
