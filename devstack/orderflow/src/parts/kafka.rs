//! Kafka: librdkafka's mock cluster, in a process of its own, because a consumer that joins a group with another
//! assignment strategy aborts the process that the cluster lives in.
//!
//! It keeps the last 5 MiB of each partition, and holds a rebalance open for the session timeout of its members, less a
//! second: `docs/interop.md` says what that means for clients.
//!
//! [`host`] is that process (the hidden subcommand `orderflow kafka`), [`start`] starts it and has it watched.

use std::io::Write as _;

use anyhow::Context as _;
use futures::FutureExt as _;
use rdkafka::mocking::MockCluster;
use tokio::process::Command;
use tokio::sync::oneshot;

use super::part::{Begin, Ready};
use super::told;
use crate::context::Context;
use crate::keep::{Life, Restart};
use crate::process::{DRAIN_LIMIT, Exit};
use crate::topology::TOPICS;

/// Serves a cluster of one broker, tells its address in one line, and ends when standard input does:
/// the pipe closes with the process that started us, so the cluster never outlives it.
pub(crate) async fn host() -> anyhow::Result<()> {
    let cluster = MockCluster::new(1).context("starting the mock cluster")?;
    for (topic, partitions) in TOPICS {
        cluster
            .create_topic(topic, partitions, 1)
            .with_context(|| format!("creating the topic {topic}"))?;
    }
    writeln!(std::io::stdout(), "{}", cluster.bootstrap_servers())?;
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Why it is not started again.
const ONCE: &str = "the mock cluster picks its own port and keeps its messages in memory, so the services would not find \
    another one; with --servers native it is the real Kafka, which is started again";

/// Starts the process, and has its port once it has told it.
pub(crate) fn start(begin: &mut Begin<'_>) -> Ready {
    let (tell, chosen) = oneshot::channel();
    let (context, name, mut tell) = (begin.context.clone(), begin.part.name, Some(tell));
    let live = move |life| run(context.clone(), name, tell.take(), life);
    let once = Restart::Never(ONCE);
    begin.group.keep(begin.context, name, once, live);
    told(chosen).map(Some).boxed()
}

/// Starts the child, tells its port, and keeps it until `life.stop`.
async fn run(
    context: Context,
    name: &'static str,
    chosen: Option<oneshot::Sender<u16>>,
    life: Life,
) -> anyhow::Result<Exit> {
    let announced = context.screen.starting(name);
    let program = std::env::current_exe().context("finding our own program")?;
    let log = context.log_of_life(name, life.is_again)?;
    let mut process = context.spawn(name, Command::new(program).arg("kafka"), DRAIN_LIMIT, log)?;
    let address = process.first_line().await?;
    let port = address
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    let port = port.with_context(|| format!("{address} has no port"))?;
    announced.ready(&address);
    // Nobody listens when the start was given up; the stop that follows is then at once.
    let _ = chosen.map(|chosen| chosen.send(port));
    let _ = life.ready.send(());
    Ok(process.watch(life.stop).await)
}
