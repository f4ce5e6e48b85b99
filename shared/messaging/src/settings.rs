//! How messages are traced and retried, the same for every broker.

use std::time::Duration;

/// How a `process` span relates to the `send` span of its message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relation {
    /// Child of the sending span, and linked to it: one trace.
    #[default]
    Parent,
    /// A trace of its own, linked to the sending span: for fan-in, long delays or very large traces.
    Link,
}

/// How long to wait after each failed attempt: twice as long each time, up to a bound, less a random part of up to half
/// of it, so that what failed together does not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// Before the second attempt.
    pub initial: Duration,
    /// The longest.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(200),
            max: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// How long to wait after the attempt of this number, from 1, has failed.
    pub fn delay(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let longest = self.initial.saturating_mul(1 << doublings).min(self.max);
        longest.mul_f64(1.0 - fastrand::f64() / 2.0)
    }
}

/// Settings of a consumer. Begin with the default and change what is different.
///
/// ```
/// let mut settings = otel_messaging::Settings::default();
/// settings.max_attempts = 5;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// How the span that processes a message relates to the span that sent it.
    pub relation: Relation,

    /// Attempts that fail with [`Retry`](crate::HandlerError::Retry) before the message is a dead letter.
    ///
    /// A broker's own bound (`maxReceiveCount`, `maxDeliveryAttempts`) is a safety net, and must be larger.
    /// 20 by default.
    pub max_attempts: u32,

    /// The delays between attempts, 200 ms to 30 s by default. Pub/Sub has its own for `Retry`: the retry policy of the subscription.
    pub backoff: Backoff,

    /// Messages that are processed at the same time: per consumer on SQS and Pub/Sub, per partition on Kafka. 32 by
    /// default.
    pub concurrency: usize,

    /// Messages that a batch handler gets at once, at most. 100 by default.
    pub batch_size: usize,

    /// Kafka: how many records of a partition may be ahead of the one that holds the commit back.
    ///
    /// It bounds what is kept in memory, and what comes again after a crash. 1000 by default.
    pub run_ahead: usize,

    /// How long a handler may take; then the attempt has failed with `Retry`. Without it, as long as it wants.
    pub handler_timeout: Option<Duration>,

    /// SQS and Pub/Sub: how long a message stays ours without a word, so that it comes again if this process dies.
    ///
    /// It is extended beside the work, at a third of it, however long a handler takes. Pub/Sub wants 10 to 600 s.
    /// 20 s by default.
    pub lease: Duration,

    /// SQS: how long a receive waits for a message. A shutdown waits for its end, so that nothing is left behind.
    /// 2 s by default.
    pub long_poll: Duration,

    /// How long what is in hand may take at shutdown, and on Kafka when a partition goes to another member of the
    /// group; the rest comes again. 5 s by default.
    pub drain_timeout: Duration,

    /// How long an error that does not heal by itself (no such queue, no permission) is borne before the consumer ends.
    /// 30 s by default.
    pub fatal_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            relation: Relation::Parent,
            // With the delays of the default, that is some minutes.
            max_attempts: 20,
            backoff: Backoff::default(),
            concurrency: 32,
            batch_size: 100,
            run_ahead: 1000,
            handler_timeout: None,
            lease: Duration::from_secs(20),
            long_poll: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(5),
            fatal_after: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_delay_is_up_to_twice_the_one_before() {
        let backoff = Backoff::default();
        for (attempt, millis) in [(1, 200), (2, 400), (5, 3200), (u32::MAX, 30_000)] {
            let longest = Duration::from_millis(millis);
            for _ in 0..100 {
                let delay = backoff.delay(attempt);
                assert!(delay <= longest && delay >= longest / 2, "{delay:?}");
            }
        }
    }
}
