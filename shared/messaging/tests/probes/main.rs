//! Probes ask the broker each time: one that has stopped to answer is noticed, and so is one that answers again. The
//! runtime has one thread here, so a probe that held it up would also hold up the time-out.

#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

#[cfg(any(feature = "sqs", feature = "pubsub"))]
mod http;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "pubsub")]
mod pubsub;
#[cfg(feature = "sqs")]
mod sqs;

#[cfg(any(feature = "kafka", feature = "sqs", feature = "pubsub"))]
mod asking {
    use std::time::Duration;

    use otel_messaging::ConnectError;
    use tokio::time::{sleep, timeout};

    /// How long whoever asks waits, as a service's readiness does.
    const ANSWER_WITHIN: Duration = Duration::from_secs(1);
    const PATIENCE: Duration = Duration::from_secs(30);

    pub(crate) async fn until_there<F>(check: impl Fn() -> F)
    where
        F: Future<Output = Result<(), ConnectError>>,
    {
        let there = async {
            while !matches!(timeout(ANSWER_WITHIN, check()).await, Ok(Ok(()))) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, there).await.unwrap();
    }

    pub(crate) async fn assert_away<F>(check: impl Fn() -> F)
    where
        F: Future<Output = Result<(), ConnectError>>,
    {
        for _ in 0..2 {
            let answer = timeout(ANSWER_WITHIN, check()).await;
            assert!(!matches!(answer, Ok(Ok(()))));
        }
    }
}
