//! Kafka: librdkafka's mock cluster, in a process of its own, because a consumer that joins a group with another
//! assignment strategy aborts the process that the cluster lives in.
//!
//! It keeps the last 5 MiB of each partition, and holds a rebalance open for the session timeout of its members, less a
//! second: `docs/interop.md` says what that means for clients.
//!
//! [`host`] is that process (the hidden subcommand `orderflow kafka`), [`live`] starts it and has it watched.

use std::io::Write as _;

use anyhow::Context as _;
use rdkafka::mocking::MockCluster;
use tokio::process::Command;

use super::part::Site;
use crate::keep::Life;
use crate::process::{DRAIN_LIMIT, Exit, own_program};
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
pub(crate) const ONCE: &str = "the mock cluster picks its own port and keeps its messages in memory, so the services would not find \
    another one; with --servers native it is the real Kafka, which is started again";

/// Starts the process, tells its port, and keeps it until `life.stop`.
pub(crate) async fn live(site: Site, mut life: Life) -> anyhow::Result<Exit> {
    let (context, name, starting) = (&site.context, site.part.name, site.starting());
    let log = context.log(name, life.is_again)?;
    let mut process = context.spawn(
        name,
        Command::new(own_program()?).arg("kafka"),
        DRAIN_LIMIT,
        log,
    )?;
    let address = process.first_line().await?;
    let port = address.rsplit(':').next();
    let port = port.and_then(|port| port.parse().ok());
    let port = port.with_context(|| format!("{address} has no port"))?;
    starting.ready(&address);
    life.tell_ready(Some(port));
    Ok(process.watch(life.stop).await)
}
