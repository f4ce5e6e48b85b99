use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::FutureExt;
use rdkafka::Message as _;
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedMessage;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::partition::{Client, Partitions, Worker, creation};
use super::{Address, Membership, Producer, refused};
use crate::error::ConnectError;
use crate::handler::Handler;
use crate::process::Processor;
use crate::settings::Settings;
use crate::shutdown::finish;
use crate::span::{self, Destination};

/// The most records that are taken at once.
const BATCH: usize = 100;
/// How long committing and leaving the group may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// How long to wait after the client failed to receive.
const RECEIVE_PAUSE: Duration = Duration::from_secs(1);

/// Receives events from one topic, as a member of a consumer group.
///
/// Partitions are processed side by side, the records of one partition in their order.
/// Kafka has no way to give a record back: a retry waits in place, and holds up its partition.
pub struct Consumer {
    client: Arc<Client>,
    topic: String,
    group: Arc<str>,
    source: Destination,
    settings: Settings,
    dead_letters: Producer,
}

impl Consumer {
    /// A member of `group` for `topic`; what is given up goes to the topic `<topic>.dlt`.
    pub async fn connect(
        address: &Address,
        settings: &Settings,
        topic: &str,
        group: &str,
    ) -> Result<Self, ConnectError> {
        let client: Client = address
            .client()
            .set("group.id", group)
            .set("auto.offset.reset", "earliest")
            // Offsets are stored when a record is settled, and committed in the background and at the end.
            .set("enable.auto.offset.store", "false")
            .set("auto.commit.interval.ms", "1000")
            .set("partition.assignment.strategy", "cooperative-sticky")
            // A member that died is missed after this, and its partitions go to the others.
            .set("session.timeout.ms", "10000")
            // A new record is fetched as soon as the broker has it; this only bounds an idle fetch.
            .set("fetch.wait.max.ms", "20")
            .create_with_context(Membership::default())
            .map_err(|error| refused(&error))?;
        client
            .subscribe(&[topic])
            .map_err(|error| refused(&error))?;
        Ok(Self {
            client: Arc::new(client),
            topic: topic.to_owned(),
            group: group.into(),
            source: address.destination(topic),
            settings: settings.clone(),
            dead_letters: Producer::connect(address, &format!("{topic}.dlt")).await?,
        })
    }

    /// Whether the broker answers and has the topic.
    pub async fn check(&self) -> Result<(), ConnectError> {
        self.dead_letters.check().await
    }

    /// Tells, while it runs, whether it has joined its group.
    pub fn membership(&self) -> Membership {
        self.client.context().as_ref().clone()
    }

    /// Receives until `shutdown`, then finishes what is in hand, within `MESSAGING_SHUTDOWN_TIMEOUT_MS`.
    pub async fn run<H: Handler>(self, handler: H, shutdown: CancellationToken) {
        let partitions = Arc::new(Partitions {
            client: self.client.clone(),
            topic: self.topic.clone(),
            group: self.group.clone(),
            processor: Processor {
                source: self.source.clone(),
                settings: self.settings.clone(),
                handler: Arc::new(handler),
                dead_letters: self.dead_letters.clone(),
            },
        });
        let mut tasks = JoinSet::new();
        let mut workers: HashMap<i32, Worker> = HashMap::new();
        while let Some(batch) = self.receive(&shutdown).await {
            workers.retain(|_, worker| !worker.is_stopped());
            for message in batch {
                let partition = message.partition();
                let worker = workers.entry(partition).or_insert_with(|| {
                    let stop = self.client.context().hold(partition, &shutdown);
                    Worker::start(&partitions, partition, stop, &mut tasks)
                });
                worker.hand_over(message).await;
            }
        }
        drop(workers);
        finish(tasks, self.settings.shutdown_timeout()).await;
        drop(partitions);
        self.leave().await;
    }

    /// What has arrived since the last call, at least one record; `None` on shutdown.
    async fn receive(&self, shutdown: &CancellationToken) -> Option<Vec<OwnedMessage>> {
        loop {
            let started = SystemTime::now();
            match shutdown.run_until_cancelled(self.client.recv()).await? {
                Ok(first) => return Some(self.drain(first.detach(), started)),
                Err(error) => self.pause(&error, shutdown).await,
            }
        }
    }

    fn drain(&self, first: OwnedMessage, started: SystemTime) -> Vec<OwnedMessage> {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Some(Ok(next)) = self.client.recv().now_or_never()
        {
            batch.push(next.detach());
        }
        if batch.len() > 1 {
            let senders: Vec<_> = batch.iter().map(creation).collect();
            span::receive(&self.source, started, &senders);
        }
        batch
    }

    async fn pause(&self, error: &KafkaError, shutdown: &CancellationToken) {
        // The topic may be created after us; librdkafka keeps looking for it.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopicOrPartition) {
            tracing::debug!(topic = self.topic, "the topic is not there yet");
        } else {
            tracing::warn!(topic = self.topic, %error, "cannot receive, will try again");
        }
        shutdown
            .run_until_cancelled(tokio::time::sleep(RECEIVE_PAUSE))
            .await;
    }

    /// Commits and leaves the group, on a thread of its own: both block, for long when the broker is gone, and for
    /// ever when the group rebalances meanwhile (<https://github.com/confluentinc/librdkafka/issues/4884>).
    async fn leave(self) {
        let (done, left) = oneshot::channel();
        std::thread::spawn(move || {
            let committed = self.client.commit_consumer_state(CommitMode::Sync);
            drop(self);
            // Nobody waits any more if this took too long.
            done.send(committed).ok();
        });
        match tokio::time::timeout(LEAVE_WITHIN, left).await {
            Ok(Ok(Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last records will come again"),
            Ok(Err(_)) | Err(_) => {
                tracing::warn!("Kafka did not let go in time, the last records may come again");
            }
        }
    }
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer")
            .field("source", &self.source)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}
