use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};

use crate::error::ConnectError;

/// Whether a consumer has joined its group: before that, which takes Kafka some seconds, nothing is received.
///
/// A member that got no partition, because others have them all, has joined as well.
#[derive(Debug, Clone, Default)]
pub struct Membership(Arc<AtomicBool>);

impl Membership {
    /// Fails until the consumer has joined.
    #[expect(clippy::unused_async, reason = "readiness checks are asynchronous")]
    pub async fn check(&self) -> Result<(), ConnectError> {
        if self.0.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(ConnectError(
                "the consumer group was not joined yet".to_owned(),
            ))
        }
    }
}

impl ClientContext for Membership {}

impl ConsumerContext for Membership {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Assign(_)) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
