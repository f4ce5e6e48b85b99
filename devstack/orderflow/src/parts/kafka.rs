//! Kafka: librdkafka's mock cluster, in a process of its own, because a consumer that joins a group with another
//! assignment strategy aborts the process that the cluster lives in.
//!
//! It keeps the last 5 MiB of each partition, and holds a rebalance open for the session timeout of its members, less a
//! second: `docs/interop.md` says what that means for clients.
//!
//! [`host`] is that process (the hidden subcommand `orderflow kafka`), [`run`] starts it and watches it.

use std::io::Write as _;

use anyhow::Context as _;
use rdkafka::mocking::MockCluster;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Context;
use crate::process::{Exit, Process};
use crate::topology::TOPICS;

pub(crate) const NAME: &str = "kafka";

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

/// Starts the child, says its address on `ready`, and keeps it until `stop`.
pub(crate) async fn run(
    context: Context,
    ready: oneshot::Sender<String>,
    stop: CancellationToken,
) -> anyhow::Result<Exit> {
    let line = context.screen.starting(NAME);
    let program = std::env::current_exe().context("finding our own program")?;
    let mut process = Process::spawn(NAME, Command::new(program).arg("kafka"), context.log(NAME)?)?;
    context.record(process.name, process.id.clone())?;
    let brokers = process.first_line().await?;
    line.ready(&brokers);
    // Nobody listens when the start was given up; the stop that follows is then at once.
    let _ = ready.send(brokers);
    Ok(process.watch(stop, context.kill).await)
}
