//! A message, as its sender made it and as its receivers see it.

use std::sync::Arc;

use md5::{Digest, Md5};
use uuid::Uuid;

use crate::{clock::Timestamp, message_attributes::MessageAttributes};

/// What the sender gave; shared, so that receiving a large message copies nothing under the lock.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) body: String,
    /// In hexadecimal; clients compare it with their own, to see that the message arrived whole.
    pub(crate) body_md5: String,
    pub(crate) attributes: MessageAttributes,
    /// X-Ray's trace header, which travels apart from the attributes.
    pub(crate) trace_header: Option<String>,
    /// What orders messages on a FIFO queue; on a standard queue it is only handed on.
    pub(crate) group_id: Option<String>,
}

impl Content {
    pub(crate) fn new(body: String, attributes: MessageAttributes) -> Self {
        Self {
            body_md5: hex::encode(Md5::digest(&body)),
            body,
            attributes,
            ..Self::default()
        }
    }

    /// Bytes of the body and of the names, types and values of its attributes.
    pub(crate) fn size(&self) -> usize {
        let attributes = self.attributes.iter();
        let sizes = attributes.map(|(name, attribute)| name.len() + attribute.size());
        self.body.len() + sizes.sum::<usize>()
    }
}

/// A message with what SQS itself knows about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) content: Arc<Content>,
    pub(crate) sent_at: Timestamp,
    /// Receives over all queues, so a dead-letter queue tells how often its message was tried.
    pub(crate) receive_count: u32,
    pub(crate) first_received_at: Option<Timestamp>,
    /// The queue from which it was moved to a dead-letter queue.
    pub(crate) dead_letter_source: Option<String>,
    /// On FIFO queues only.
    pub(crate) deduplication_id: Option<String>,
    /// Given by the FIFO queue that the message is in: 20 digits.
    pub(crate) sequence_number: Option<String>,
}

impl Message {
    pub(crate) fn new(content: Content, sent_at: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            content: Arc::new(content),
            sent_at,
            ..Self::default()
        }
    }

    /// Prepares the message for the dead-letter queue of the queue `source`.
    ///
    /// On FIFO queues its age begins anew, and its own id takes the place of the deduplication id,
    /// which another dead letter may have as well.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html>
    pub(crate) fn into_dead_letter(mut self, source: &str, now: Timestamp) -> Self {
        self.dead_letter_source = Some(source.to_owned());
        if self.sequence_number.is_some() {
            self.sent_at = now;
            self.deduplication_id = Some(self.id.to_string());
        }
        self
    }
}

/// What the sender of a message learns about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) message_id: Uuid,
    /// From FIFO queues only.
    pub(crate) sequence_number: Option<String>,
}
