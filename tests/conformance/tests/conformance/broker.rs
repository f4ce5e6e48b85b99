//! What a broker is for the cases.

use otel_messaging::{Settings, StoredContext};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::handler::Scripted;

/// An event of the cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) payload: String,
    pub(crate) reason: String,
}

/// A broker with a destination of the test's own, which nobody else uses.
pub(crate) trait Broker: Sized {
    /// What `orderflow up` calls it.
    const PART: &'static str;

    /// The setting with its address.
    const ADDRESS: &'static str;

    /// As spans name it.
    const SYSTEM: &'static str;

    /// Whether one receive may bring several messages.
    const RECEIVES_BATCHES: bool;

    /// A destination on the broker at `address`, or on a stand-in of its own.
    async fn start(address: Option<String>) -> Self;

    /// The name of the destination.
    fn destination(&self) -> &str;

    /// Sends through our producer.
    async fn send(&self, event: &Event);

    /// Sends through our producer, below the span in which `context` was captured.
    async fn send_from(&self, context: &StoredContext, event: &Event);

    /// Sends as somebody would who knows nothing of traces.
    async fn send_foreign(&self, payload: &str);

    /// Runs our consumer until `shutdown`.
    async fn consume(&self, handler: Scripted, shutdown: CancellationToken);

    /// Waits for the next dead letter.
    async fn next_dead_letter(&self) -> DeadLetter;
}

/// Three attempts with a delay that a test can wait for, and few messages at once, so that consumers have to share.
pub(crate) fn settings() -> Settings {
    Settings {
        messaging_max_attempts: 3,
        messaging_retry_delay_ms: 50,
        messaging_concurrency: 10,
        ..Settings::default()
    }
}

/// A name that no other test has.
pub(crate) fn unique(kind: &str) -> String {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_nanos();
    format!("{kind}-{}-{nanos}", std::process::id())
}
