//! The transactional outbox: events are written with the change they tell about, and sent afterwards.

mod relay;
mod rows;

use otel_messaging::StoredContext;
use serde_json::Value;

pub(crate) use relay::{Producers, Relay};

/// An event that is to be sent when the change that it is written with is there.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) topic: &'static str,
    /// Events with the same key go to the same partition, one after the other.
    pub(crate) key: String,
    pub(crate) payload: Value,
    /// Captured where the event happens.
    pub(crate) context: StoredContext,
}
