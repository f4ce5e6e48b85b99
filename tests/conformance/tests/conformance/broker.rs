//! What a broker is for the cases.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use otel_messaging::{Outgoing, ReceiveError, Settings};
use serde::{Deserialize, Deserializer, Serialize};
use tokio_util::sync::CancellationToken;

use crate::handler::Scripted;

/// An event of the cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(deserialize_with = "unless_it_panics")]
    pub(crate) id: String,
}

/// An id that makes whoever decodes it panic.
pub(crate) const PANICS_IN_DECODE: &str = "panics in decode";

fn unless_it_panics<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    assert_ne!(id, PANICS_IN_DECODE, "as the case wants");
    Ok(id)
}

impl Event {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned() }
    }
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) payload: String,
    pub(crate) headers: HashMap<String, String>,
}

impl DeadLetter {
    pub(crate) fn reason(&self) -> &str {
        &self.headers["dead-letter-reason"]
    }

    /// What the letter says of its origin: in a header of its own, or in the one that has it all.
    pub(crate) fn origin(&self, fact: &str) -> Option<String> {
        if let Some(value) = self.headers.get(&format!("dead-letter-{fact}")) {
            return Some(value.clone());
        }
        let origin = self.headers.get("dead-letter-origin")?;
        let origin: HashMap<String, String> = serde_json::from_str(origin).ok()?;
        origin.get(fact).cloned()
    }
}

/// What a consumer does with messages.
pub(crate) enum Work {
    OneByOne(Scripted),
    InBatches(Scripted),
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

    /// How many bytes a payload has that the destination takes and its place for dead letters does not.
    const TOO_LARGE_FOR_A_LETTER: usize;

    /// A destination on the broker at `address`, or on a stand-in of its own.
    async fn start(address: Option<String>) -> Self;

    /// A destination on the same broker that keeps messages of one key in order.
    async fn in_order(self: &Rc<Self>) -> Rc<Self>;

    /// The name of the destination.
    fn destination(&self) -> &str;

    /// Sends through our producer.
    async fn send(&self, event: Outgoing<'_, Event>);

    /// Sends together through our producer.
    async fn send_batch(&self, events: &[Event]);

    /// Sends as somebody would who knows nothing of traces.
    async fn send_foreign(&self, payload: &str);

    /// Runs our consumer until `shutdown`.
    async fn consume(
        &self,
        work: Work,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> Result<(), ReceiveError>;

    /// Waits for the next dead letter.
    async fn next_dead_letter(&self) -> DeadLetter;

    /// Takes away what is received from.
    async fn take_away(&self);
}

/// Three attempts with a delay that a test can wait for, and few messages at once, so that consumers have to share.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.max_attempts = 3;
    settings.backoff.initial = Duration::from_millis(50);
    settings.concurrency = 10;
    settings.lease = LEASE;
    settings.long_poll = Duration::from_secs(1);
    settings
}

/// How long the messages of a consumer that died stay away, where the broker lets us choose: a test waits for them.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// A name that no other test has.
pub(crate) fn unique(kind: &str) -> String {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_nanos();
    format!("{kind}-{}-{nanos}", std::process::id())
}

/// The consumers have one shape, so what runs them is written once; but no trait of theirs is public to write it as a
/// function.
macro_rules! run {
    ($consumer:expr, $work:expr, $shutdown:expr) => {
        match $work {
            Work::OneByOne(handler) => $consumer.run(stack::handle(handler), $shutdown).await,
            Work::InBatches(handler) => {
                $consumer
                    .run_batch(stack::handle_batch(handler), $shutdown)
                    .await
            }
        }
    };
}
pub(crate) use run;
