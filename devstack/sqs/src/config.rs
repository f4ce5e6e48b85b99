//! The queues that exist from the start.

use std::time::Duration;

/// The queues to begin with; clients may create more.
#[derive(Debug, Clone, Default)]
pub struct Queues(pub(crate) Vec<QueueConfig>);

impl Queues {
    /// No queue at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a queue; a dead-letter queue may be added before or after the queues that name it.
    pub fn with_queue(mut self, queue: QueueConfig) -> Self {
        self.0.push(queue);
        self
    }
}

/// One queue to begin with.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// Letters, digits, hyphens and underscores, at most 80; the ending `.fifo` makes it a FIFO queue.
    pub name: String,
    /// How long a received message stays hidden; whole seconds, at most 12 hours.
    pub visibility_timeout: Duration,
    /// Where messages go that were received too often; `None` delivers them for ever.
    pub redrive: Option<Redrive>,
}

impl QueueConfig {
    /// A queue as AWS creates it: 30 seconds of visibility timeout, no dead-letter queue.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            visibility_timeout: Duration::from_secs(30),
            redrive: None,
        }
    }

    /// Hides a received message for `timeout`.
    pub fn with_visibility_timeout(mut self, timeout: Duration) -> Self {
        self.visibility_timeout = timeout;
        self
    }

    /// Moves a message to `dead_letter_queue` instead of delivering it once more than `max_receive_count` times.
    pub fn with_redrive(
        mut self,
        dead_letter_queue: impl Into<String>,
        max_receive_count: u32,
    ) -> Self {
        self.redrive = Some(Redrive {
            dead_letter_queue: dead_letter_queue.into(),
            max_receive_count,
        });
        self
    }
}

/// When a message is given up, and where it goes.
#[derive(Debug, Clone)]
pub struct Redrive {
    /// The name of another queue.
    pub dead_letter_queue: String,
    /// How often a message is delivered before it is moved; 1 to 1000.
    pub max_receive_count: u32,
}
