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

use super::Context;
use crate::keep::Life;
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

/// Why it is not started again.
pub(crate) const ONCE: &str = "the mock cluster picks its own port and keeps its messages in memory, so the services \
    would not find another one; with --servers native it is the real Kafka, which is started again";

/// Starts the child, tells its address, and keeps it until `life.stop`.
pub(crate) async fn run(
    context: Context,
    brokers: Option<oneshot::Sender<String>>,
    life: Life,
) -> anyhow::Result<Exit> {
    let announced = context.screen.starting(NAME);
    let program = std::env::current_exe().context("finding our own program")?;
    let mut process = Process::spawn(
        NAME,
        Command::new(program).arg("kafka"),
        context.log_of_life(NAME, &life)?,
    )?;
    context.record(process.name, process.id.clone())?;
    let address = process.first_line().await?;
    announced.ready(&address);
    // Nobody listens when the start was given up; the stop that follows is then at once.
    let _ = brokers.map(|brokers| brokers.send(address));
    let _ = life.ready.send(());
    Ok(process.watch(life.stop, context.kill).await)
}
