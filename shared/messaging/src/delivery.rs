//! A message as its broker delivered it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use opentelemetry::Context;

use crate::destination::Destination;
use crate::headers::Headers;

/// A message as its broker delivered it, which owns all that it tells. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Delivery {
    message: Arc<Message>,
    attempt: u32,
    counted_attempts: u32,
}

/// What stays the same from attempt to attempt.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) destination: Arc<Destination>,
    pub(crate) id: String,
    pub(crate) key: Option<Bytes>,
    pub(crate) payload: Option<Bytes>,
    pub(crate) headers: Headers,
    pub(crate) sent_at: Option<SystemTime>,
    pub(crate) received_at: SystemTime,
    pub(crate) queue_time: Option<Duration>,
    pub(crate) context: Context,
    pub(crate) origin: Origin,
}

/// Where exactly a message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A record of a partition.
    #[non_exhaustive]
    Kafka {
        /// The consumer group that it was delivered to.
        group: Arc<str>,
        /// Its partition.
        partition: i32,
        /// Its offset in the partition.
        offset: i64,
        /// Whether `sent_at` is the broker's time, as with `message.timestamp.type=LogAppendTime`, or the producer's.
        log_append_time: bool,
    },
    /// A message of a queue.
    #[non_exhaustive]
    Sqs {
        /// The URL of the queue.
        queue_url: Arc<str>,
        /// Its place in its message group, on FIFO queues.
        sequence_number: Option<String>,
    },
    /// A message of a subscription.
    #[non_exhaustive]
    PubSub {
        /// The id of the subscription.
        subscription: Arc<str>,
    },
}

impl Delivery {
    pub(crate) fn new(message: Message, attempt: u32) -> Self {
        Self {
            message: Arc::new(message),
            attempt,
            counted_attempts: attempt,
        }
    }

    /// The same message once more; `counted` if the last attempt counts against the bound.
    pub(crate) fn next_attempt(&self, counted: bool) -> Self {
        Self {
            message: self.message.clone(),
            attempt: self.attempt + 1,
            counted_attempts: self.counted_attempts + u32::from(counted),
        }
    }

    /// The broker's id of the message; on Kafka `topic/partition/offset`.
    pub fn message_id(&self) -> &str {
        &self.message.id
    }

    /// The topic or queue.
    pub fn destination(&self) -> &str {
        &self.message.destination.name
    }

    /// Where exactly it comes from.
    pub fn origin(&self) -> &Origin {
        &self.message.origin
    }

    /// Kafka's record key, the message group of an SQS message, the ordering key of Pub/Sub.
    pub fn key(&self) -> Option<&Bytes> {
        self.message.key.as_ref()
    }

    /// The payload; `None` is a tombstone of Kafka.
    pub fn payload(&self) -> Option<&Bytes> {
        self.message.payload.as_ref()
    }

    /// Kafka's headers, the message attributes of SQS and Pub/Sub.
    pub fn headers(&self) -> &Headers {
        &self.message.headers
    }

    /// When the broker took the message; on Kafka when the producer made it, unless the topic has log append time.
    pub fn sent_at(&self) -> Option<SystemTime> {
        self.message.sent_at
    }

    /// When this process received it.
    pub fn received_at(&self) -> SystemTime {
        self.message.received_at
    }

    /// How long it waited in the broker before it was received for the first time; unknown where the broker does not
    /// tell, and for a message of Pub/Sub that comes again.
    pub fn queue_time(&self) -> Option<Duration> {
        self.message.queue_time
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The attempts up to this one that count against [`Settings::max_attempts`](crate::Settings::max_attempts): those
    /// that failed because something was unavailable do not.
    pub fn counted_attempts(&self) -> u32 {
        self.counted_attempts
    }

    /// The context that came with the message: the parent and link of what is done about it.
    pub fn context(&self) -> &Context {
        &self.message.context
    }

    pub(crate) fn source(&self) -> &Arc<Destination> {
        &self.message.destination
    }
}
