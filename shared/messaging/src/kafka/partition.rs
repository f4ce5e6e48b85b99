//! The records of one partition, processed one after the other by a task of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use opentelemetry::Context;
use opentelemetry_semantic_conventions::attribute::{
    MESSAGING_CONSUMER_GROUP_NAME, MESSAGING_DESTINATION_PARTITION_ID, MESSAGING_KAFKA_MESSAGE_KEY,
    MESSAGING_KAFKA_OFFSET,
};
use otel_carriers::kafka::MetadataExtractor;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::OwnedMessage;
use rdkafka::{Message as _, TopicPartitionList};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{Membership, Producer};
use crate::context::extract;
use crate::handler::{Delivery, Handler};
use crate::process::{Message, Outcome, Processor};
use crate::span;

/// With so many records waiting for the one in hand, a partition is not fetched from.
const HOLD_AT: usize = 100;
/// With so few waiting, it is fetched from again.
const GO_ON_AT: usize = 50;
/// What was received before the hold took effect has room as well.
const ROOM: usize = 2 * HOLD_AT;

pub(super) type Client = StreamConsumer<Membership>;

/// What the worker of every partition needs.
pub(super) struct Partitions<H> {
    pub(super) client: Arc<Client>,
    pub(super) topic: String,
    pub(super) group: Arc<str>,
    pub(super) processor: Processor<H, Producer>,
}

/// The receiving end's handle on a partition's worker.
pub(super) struct Worker {
    backlog: mpsc::Sender<OwnedMessage>,
    flow: Arc<Flow>,
    /// Cancelled at shutdown, and when the partition goes to another member of the group.
    stop: CancellationToken,
}

impl Worker {
    pub(super) fn start<H: Handler>(
        partitions: &Arc<Partitions<H>>,
        partition: i32,
        stop: CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (sender, backlog) = mpsc::channel(ROOM);
        let flow = Arc::new(Flow {
            client: partitions.client.clone(),
            topic: partitions.topic.clone(),
            partition,
            held: Mutex::new(false),
        });
        let work = partitions.clone().work(backlog, flow.clone(), stop.clone());
        tasks.spawn(work);
        Self {
            backlog: sender,
            flow,
            stop,
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// A record that a stopped worker does not take comes again: its offset was not stored.
    pub(super) async fn hand_over(&self, message: OwnedMessage) {
        let sent = self.stop.run_until_cancelled(self.backlog.send(message));
        if let Some(Ok(())) = sent.await {
            self.flow
                .hold_if(|| self.backlog.max_capacity() - self.backlog.capacity() >= HOLD_AT);
        }
    }
}

/// Stops fetching from a partition that is slower than the others, so that it does not hold them up.
///
/// The lock keeps what is asked and what is done together: a worker that saw no hold would never end it.
struct Flow {
    client: Arc<Client>,
    topic: String,
    partition: i32,
    held: Mutex<bool>,
}

impl Flow {
    fn hold_if(&self, full: impl FnOnce() -> bool) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !*held && full() {
            // librdkafka drops what it has fetched ahead, and fetches it again afterwards.
            self.log("hold", self.client.pause(&self.partitions()));
            *held = true;
        }
    }

    fn go_on_if(&self, drained: impl FnOnce() -> bool) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if *held && drained() {
            self.log("go on", self.client.resume(&self.partitions()));
            *held = false;
        }
    }

    fn partitions(&self) -> TopicPartitionList {
        let mut partitions = TopicPartitionList::with_capacity(1);
        partitions.add_partition(&self.topic, self.partition);
        partitions
    }

    fn log(&self, what: &str, done: rdkafka::error::KafkaResult<()>) {
        if let Err(error) = done {
            tracing::debug!(partition = self.partition, %error, "cannot {what}");
        }
    }
}

impl<H: Handler> Partitions<H> {
    async fn work(
        self: Arc<Self>,
        mut backlog: mpsc::Receiver<OwnedMessage>,
        flow: Arc<Flow>,
        stop: CancellationToken,
    ) {
        while let Some(message) = backlog.recv().await {
            if stop.is_cancelled() || !self.until_settled(&message, &stop).await {
                return;
            }
            self.settle(&message);
            flow.go_on_if(|| backlog.len() <= GO_ON_AT);
        }
    }

    /// Tries until the record is settled, or `false` when it is to be left to the next member of the group.
    async fn until_settled(&self, message: &OwnedMessage, stop: &CancellationToken) -> bool {
        for attempt in 1.. {
            match self.attempt(message, attempt).await {
                Outcome::Settle => return true,
                Outcome::Retry(delay) => {
                    let wait = tokio::time::sleep(delay);
                    if stop.run_until_cancelled(wait).await.is_none() {
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

pub(super) fn creation(message: &OwnedMessage) -> Context {
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
