use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::{ClientContext, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use crate::error::ConnectError;

/// What a consumer knows of its group: whether it has joined, and which partitions it lost.
///
/// Joining takes Kafka some seconds, and before that nothing is received.
/// A member that got no partition, because others have them all, has joined as well.
#[derive(Debug, Clone, Default)]
pub struct Membership {
    joined: Arc<AtomicBool>,
    held: Arc<Mutex<HashMap<i32, CancellationToken>>>,
}

impl Membership {
    /// Fails until the consumer has joined.
    #[expect(clippy::unused_async, reason = "readiness checks are asynchronous")]
    pub async fn check(&self) -> Result<(), ConnectError> {
        if self.joined.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(ConnectError(
                "the consumer group was not joined yet".to_owned(),
            ))
        }
    }

    /// What stops the worker of `partition`: the shutdown, or its loss to another member.
    pub(super) fn hold(&self, partition: i32, shutdown: &CancellationToken) -> CancellationToken {
        let stop = shutdown.child_token();
        self.held().insert(partition, stop.clone());
        stop
    }

    fn release(&self, partitions: &TopicPartitionList) {
        let mut held = self.held();
        for partition in partitions.elements() {
            if let Some(stop) = held.remove(&partition.partition()) {
                stop.cancel();
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<i32, CancellationToken>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Membership {}

impl ConsumerContext for Membership {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.release(partitions);
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Assign(_)) {
            self.joined.store(true, Ordering::Relaxed);
        }
    }
}
