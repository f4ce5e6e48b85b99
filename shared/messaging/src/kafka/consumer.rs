use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use carriers::kafka::MetadataExtractor;
use futures::FutureExt;
use opentelemetry::Context;
use opentelemetry_semantic_conventions::attribute::{
    MESSAGING_CONSUMER_GROUP_NAME, MESSAGING_DESTINATION_PARTITION_ID, MESSAGING_KAFKA_MESSAGE_KEY,
    MESSAGING_KAFKA_OFFSET,
};
use rdkafka::Message as _;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedMessage;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{Address, Membership, Producer, refused};
use crate::context::extract;
use crate::error::ConnectError;
use crate::handler::{Delivery, Handler};
use crate::process::{Message, Outcome, Processor};
use crate::settings::Settings;
use crate::span::{self, Destination};

/// How many records of one partition wait for the one in hand.
const PARTITION_BACKLOG: usize = 100;
/// How long committing and leaving the group may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// How long to wait after the client failed to receive.
const RECEIVE_PAUSE: Duration = Duration::from_secs(1);

/// Receives events from one topic, as a member of a consumer group.
///
/// Partitions are processed side by side, the records of one partition in their order.
/// Kafka has no way to give a record back: a retry waits in place, and holds up its partition; the others too once
/// a hundred of its records wait.
pub struct Consumer {
    client: Arc<Client>,
    topic: String,
    group: Arc<str>,
    source: Destination,
    settings: Settings,
    dead_letters: Producer,
}

type Client = StreamConsumer<Membership>;
type Workers = HashMap<i32, mpsc::Sender<OwnedMessage>>;

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
            // Longer than a record is retried: a partition that is stuck for that long keeps the others waiting.
            .set("max.poll.interval.ms", "900000")
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

    /// Receives until `shutdown`, then finishes what is in hand.
    pub async fn run<H: Handler>(self, handler: H, shutdown: CancellationToken) {
        let partition = Arc::new(Partition {
            client: self.client.clone(),
            group: self.group.clone(),
            processor: Processor {
                source: self.source.clone(),
                settings: self.settings.clone(),
                handler: Arc::new(handler),
                dead_letters: self.dead_letters.clone(),
            },
            shutdown: shutdown.clone(),
        });
        let mut tasks = JoinSet::new();
        let mut workers = Workers::new();
        while let Some(batch) = self.receive(&shutdown).await {
            for message in batch {
                let worker = workers.entry(message.partition()).or_insert_with(|| {
                    let (sender, backlog) = mpsc::channel(PARTITION_BACKLOG);
                    tasks.spawn(partition.clone().work(backlog));
                    sender
                });
                hand_over(worker, message, &shutdown).await;
            }
        }
        drop(workers);
        tasks.join_all().await;
        drop(partition);
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
        while batch.len() < PARTITION_BACKLOG
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

/// On shutdown the record is left to the next member of the group: its offset was not stored.
async fn hand_over(
    worker: &mpsc::Sender<OwnedMessage>,
    message: OwnedMessage,
    shutdown: &CancellationToken,
) {
    let sent = shutdown.run_until_cancelled(worker.send(message)).await;
    if let Some(Err(_closed)) = sent {
        tracing::debug!("a partition's worker has stopped");
    }
}

/// The worker of a partition, and what it needs.
struct Partition<H> {
    client: Arc<Client>,
    group: Arc<str>,
    processor: Processor<H, Producer>,
    shutdown: CancellationToken,
}

impl<H: Handler> Partition<H> {
    async fn work(self: Arc<Self>, mut backlog: mpsc::Receiver<OwnedMessage>) {
        while let Some(message) = backlog.recv().await {
            if self.shutdown.is_cancelled() || !self.until_settled(&message).await {
                return;
            }
            self.settle(&message);
        }
    }

    /// Tries until the record is settled, or `false` on shutdown.
    async fn until_settled(&self, message: &OwnedMessage) -> bool {
        for attempt in 1.. {
            match self.attempt(message, attempt).await {
                Outcome::Settle => return true,
                Outcome::Retry(delay) => {
                    let wait = tokio::time::sleep(delay);
                    if self.shutdown.run_until_cancelled(wait).await.is_none() {
                        return false;
                    }
                }
            }
        }
        false
    }

    async fn attempt(&self, message: &OwnedMessage, attempt: u32) -> Outcome {
        let describe = |span: &Span| self.describe(span, message);
        let message = Message {
            creation: creation(message),
            key: message.key(),
            payload: message.payload().unwrap_or_default(),
            delivery: delivery(message, attempt),
            describe: &describe,
        };
        self.processor.process(message).await
    }

    fn describe(&self, span: &Span, message: &OwnedMessage) {
        span::set(span, MESSAGING_CONSUMER_GROUP_NAME, self.group.to_string());
        span::set(
            span,
            MESSAGING_DESTINATION_PARTITION_ID,
            message.partition().to_string(),
        );
        span::set(span, MESSAGING_KAFKA_OFFSET, message.offset());
        if let Some(Ok(key)) = message.key().map(std::str::from_utf8) {
            span::set(span, MESSAGING_KAFKA_MESSAGE_KEY, key.to_owned());
        }
    }

    fn settle(&self, message: &OwnedMessage) {
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        if let Err(error) = self.client.store_offset(topic, partition, offset) {
            // The partition went to another member meanwhile, who will see the record again.
            tracing::debug!(partition, offset, %error, "the offset was not stored");
        }
    }
}

fn creation(message: &OwnedMessage) -> Context {
    extract(&MetadataExtractor::new(message.headers()))
}

fn delivery(message: &OwnedMessage, attempt: u32) -> Delivery {
    let sent = message.timestamp().to_millis();
    let sent = sent.and_then(|millis| u64::try_from(millis).ok());
    Delivery {
        message_id: format!(
            "{}/{}/{}",
            message.topic(),
            message.partition(),
            message.offset()
        ),
        attempt,
        queue_time: sent.map(|millis| span::queue_time(UNIX_EPOCH + Duration::from_millis(millis))),
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
