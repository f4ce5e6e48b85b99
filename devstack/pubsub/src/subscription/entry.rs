//! One message in one subscription.

use std::sync::Arc;

use tokio::time::Instant;

use crate::message;
use crate::proto::PubsubMessage;

/// Identifies a streaming pull while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StreamId(pub(super) u64);

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) message: Arc<PubsubMessage>,
    pub(super) size: usize,
    pub(super) published: Instant,
    /// Part of the ack id. It changes with each delivery, and when earlier ids must stop working.
    pub(super) delivery: u32,
    /// Nacks and expired leases so far.
    pub(super) failures: u32,
    /// The end of the back-off after the last failure.
    pub(super) not_before: Option<Instant>,
    pub(super) place: Place,
}

/// Which of the subscription's indexes holds the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In none: on its way from one to the next.
    Nowhere,
    /// Can be delivered now.
    Ready,
    /// Waits for its back-off to end.
    Delayed(Instant),
    /// Waits in its lane for earlier messages with the same ordering key.
    Lane,
    /// Delivered, and not settled before the deadline.
    Leased {
        deadline: Instant,
        stream: Option<StreamId>,
    },
    /// Settled, and kept for a seek back in time.
    Acked,
    /// Failed as often as the dead-letter policy allows.
    Exhausted,
}

impl Entry {
    pub(super) fn new(message: Arc<PubsubMessage>, published: Instant) -> Self {
        Self {
            size: message::size(&message),
            message,
            published,
            delivery: 0,
            failures: 0,
            not_before: None,
            place: Place::Nowhere,
        }
    }
}
