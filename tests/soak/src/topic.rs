//! The topic, and how far the group has come in it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

pub(crate) struct Topic {
    name: String,
    partitions: i32,
    /// Asks for the group's offsets without being a member of it.
    group: Arc<BaseConsumer>,
}

/// How far the group has come in a partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) partition: i32,
    /// The offset that the group goes on from.
    pub(crate) committed: i64,
    /// The offset that the next record will get.
    pub(crate) end: i64,
}

impl Topic {
    pub(crate) async fn create(
        brokers: &str,
        name: &str,
        group: &str,
        partitions: i32,
    ) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers);
        let admin: AdminClient<DefaultClientContext> = config.create()?;
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let created = admin.create_topics([&topic], &AdminOptions::new()).await?;
        for topic in created {
            topic.map_err(|(name, code)| anyhow!("creating the topic {name}: {code}"))?;
        }
        Ok(Self {
            name: name.to_owned(),
            partitions,
            group: Arc::new(config.set("group.id", group).create()?),
        })
    }

    pub(crate) async fn progress(&self) -> anyhow::Result<Vec<Progress>> {
        let (group, name, partitions) = (self.group.clone(), self.name.clone(), self.partitions);
        let asked = move || {
            let mut asked = TopicPartitionList::new();
            asked.add_partition_range(&name, 0, partitions - 1);
            let committed = group.committed_offsets(asked, ANSWERS_WITHIN)?;
            let progress = (0..partitions).map(|partition| {
                let (_, end) = group.fetch_watermarks(&name, partition, ANSWERS_WITHIN)?;
                let committed = committed.find_partition(&name, partition);
                let committed = match committed.context("it was asked for")?.offset() {
                    Offset::Offset(offset) => offset,
                    _ => 0,
                };
                Ok(Progress {
                    partition,
                    committed,
                    end,
                })
            });
            progress.collect()
        };
        tokio::task::spawn_blocking(asked).await?
    }
}
