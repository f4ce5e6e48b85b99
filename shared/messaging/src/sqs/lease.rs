//! Messages that are worked on stay invisible, however long that takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, MissedTickBehavior};

use super::MAX_BATCH;
use super::producer::Queue;
use super::settle::change_visibility;
use super::whole_seconds;

/// The messages in hand, by their receipt handles, and since when each is leased.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases(Arc<Mutex<HashMap<String, Instant>>>);

impl Leases {
    pub(super) fn begin(&self, handle: &str) {
        self.held().insert(handle.to_owned(), Instant::now());
    }

    pub(super) fn end(&self, handle: &str) {
        self.held().remove(handle);
    }

    /// Extends each lease when a third of it is over, so that two more tries remain.
    pub(super) async fn extend(&self, queue: &Queue, lease: Duration) {
        let mut ticks = tokio::time::interval(lease / 6);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let due: Vec<_> = self
                .take_due(lease / 3)
                .into_iter()
                .map(|handle| (handle, whole_seconds(lease)))
                .collect();
            let requests = due
                .chunks(MAX_BATCH)
                .map(|some| change_visibility(queue, some));
            join_all(requests).await;
        }
    }

    fn take_due(&self, after: Duration) -> Vec<String> {
        let now = Instant::now();
        let mut held = self.held();
        let due = held
            .iter_mut()
            .filter(|(_, since)| now.duration_since(**since) >= after);
        due.map(|(handle, since)| {
            *since = now;
            handle.clone()
        })
        .collect()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_due_when_a_third_of_it_is_over() {
        let leases = Leases::default();
        leases.begin("a");
        tokio::time::advance(Duration::from_secs(5)).await;
        leases.begin("b");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(leases.take_due(Duration::from_secs(10)), ["a"]);
        assert!(leases.take_due(Duration::from_secs(10)).is_empty());
        leases.end("b");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(leases.take_due(Duration::from_secs(10)).is_empty());
    }
}
