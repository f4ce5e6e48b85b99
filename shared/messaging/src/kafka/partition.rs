//! The records of one partition.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use otel_carriers::kafka::{MetadataExtractor, readable};
use rdkafka::consumer::stream_consumer::StreamPartitionQueue;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message as _, Timestamp};

use super::group::Membership;
use super::offsets::Offsets;
use crate::context::extract;
use crate::delivery::{Delivery, Message, Origin};
use crate::destination::Destination;
use crate::error::ReceiveError;
use crate::headers::Headers;
use crate::source::{Receipt, Received, Source};
use crate::span;

/// The most records that are taken at once.
const BATCH: usize = 100;

/// A partition that is ours.
///
/// It has a queue of its own in librdkafka, from which nothing is taken while there is no room: so one slow partition
/// holds up no other, without being paused.
pub(super) struct Partition {
    pub(super) client: Arc<StreamConsumer<Membership>>,
    pub(super) queue: StreamPartitionQueue<Membership>,
    pub(super) destination: Arc<Destination>,
    pub(super) group: Arc<str>,
    pub(super) number: i32,
    pub(super) offsets: Offsets,
    pub(super) run_ahead: usize,
}

impl Source for Partition {
    type Receipt = Record;

    fn room(&self, _: usize) -> usize {
        self.run_ahead.saturating_sub(self.offsets.ahead())
    }

    async fn receive(&mut self, room: usize) -> Result<Vec<Received<Record>>, ReceiveError> {
        let asked = SystemTime::now();
        let mut records = self.queue.stream();
        let mut batch = Vec::new();
        // Each time, so that the committed offset follows the work also while there is a backlog.
        self.store();
        let first = records.next().await;
        self.take(first, &mut batch);
        while batch.len() < room.min(BATCH)
            && let Some(next) = records.next().now_or_never()
        {
            self.take(next, &mut batch);
        }
        span::receive(asked, batch.iter().map(|(delivery, _)| delivery));
        Ok(batch)
    }
}

impl Partition {
    fn take(
        &self,
        next: Option<Result<BorrowedMessage<'_>, KafkaError>>,
        batch: &mut Vec<Received<Record>>,
    ) {
        match next {
            Some(Ok(record)) => {
                let offset = record.offset();
                self.offsets.begin(offset);
                let offsets = self.offsets.clone();
                batch.push((self.delivery(&record), Record { offsets, offset }));
            }
            // librdkafka goes on by itself; what does not heal is also said on the consumer's own queue.
            Some(Err(error)) => {
                tracing::warn!(topic = self.destination.name, partition = self.number, %error, "cannot fetch");
            }
            None => {}
        }
    }

    fn delivery(&self, record: &BorrowedMessage<'_>) -> Delivery {
        let received_at = SystemTime::now();
        let sent_at = sent_at(record.timestamp());
        let (topic, partition, offset) = (&self.destination.name, self.number, record.offset());
        let message = Message {
            destination: self.destination.clone(),
            id: format!("{topic}/{partition}/{offset}"),
            key: record.key().map(Bytes::copy_from_slice),
            payload: record.payload().map(Bytes::copy_from_slice),
            headers: headers(record),
            sent_at,
            received_at,
            queue_time: sent_at.map(|sent| span::queue_time(sent, received_at)),
            context: extract(&MetadataExtractor::new(record.headers())),
            origin: Origin::Kafka {
                group: self.group.clone(),
                partition,
                offset,
                log_append_time: matches!(record.timestamp(), Timestamp::LogAppendTime(_)),
            },
        };
        Delivery::new(message, 1)
    }

    /// What is stored is committed in the background, and when the partition goes.
    fn store(&self) {
        let Some(offset) = self.offsets.take_settled() else {
            return;
        };
        let (topic, partition) = (&self.destination.name, self.number);
        if let Err(error) = self.client.store_offset(topic, partition, offset) {
            tracing::warn!(topic, partition, offset, %error, "the offset was not stored");
        }
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        self.store();
    }
}

/// A record that is in hand.
pub(super) struct Record {
    offsets: Offsets,
    offset: i64,
}

impl Receipt for Record {
    const RETRIES_IN_PLACE: bool = true;

    fn ack(self) {
        self.offsets.settle(self.offset);
    }

    /// Its offset is not committed, so whoever has the partition next gets it.
    fn retry(self, _: Duration) {}
}

fn headers(record: &BorrowedMessage<'_>) -> Headers {
    let mut headers = Headers::new();
    for header in record.headers().into_iter().flat_map(readable) {
        match header.value {
            Some(value) => headers.append(header.key, Bytes::copy_from_slice(value)),
            None => headers.append_null(header.key),
        }
    }
    headers
}

fn sent_at(timestamp: Timestamp) -> Option<SystemTime> {
    let millis = u64::try_from(timestamp.to_millis()?).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_millis(millis))
}
