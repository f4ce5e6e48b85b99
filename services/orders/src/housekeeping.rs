//! What nobody asks for: orders that are pending for too long are looked after, and old keys are forgotten.

use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::repository::OrderRepository;

/// Orders that are looked after in one round. After a long standstill the others follow in the next ones.
const RESEND_AT_ONCE: i64 = 100;
/// How often pending orders are looked for, at most and at least.
const RESEND_EVERY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Keys that are forgotten in one statement.
const FORGET_AT_ONCE: i64 = 1000;
const FORGET_EVERY: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Housekeeping {
    repository: OrderRepository,
    /// How long an order may be pending.
    resend_after: Duration,
    /// Told when there is something in the outbox.
    outbox: Arc<Notify>,
}

impl Housekeeping {
    pub(crate) fn new(
        repository: OrderRepository,
        resend_after: Duration,
        outbox: Arc<Notify>,
    ) -> Self {
        Self {
            repository,
            resend_after,
            outbox,
        }
    }

    /// Works until `shutdown`. What fails is tried in the next round.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let (most_often, least_often) = RESEND_EVERY;
        let mut resend = every((self.resend_after / 10).clamp(most_often, least_often));
        let mut forget = every(FORGET_EVERY);
        let work = async {
            loop {
                select! {
                    _ = resend.tick() => self.resend().await,
                    _ = forget.tick() => self.forget().await,
                }
            }
        };
        shutdown.run_until_cancelled(work).await;
    }

    /// A broker that forgot a message, or one that we know nothing of, costs time and not the order.
    async fn resend(&self) {
        match self.repository.resend_due(RESEND_AT_ONCE).await {
            Ok(resent) if resent.is_empty() => {}
            Ok(resent) => {
                self.outbox.notify_one();
                for order in resent {
                    let (order_id, times) = (order.id, order.resent);
                    tracing::info!(%order_id, times, "order is still pending, its event is sent again");
                }
            }
            Err(error) => tracing::debug!(%error, "cannot look for pending orders"),
        }
    }

    async fn forget(&self) {
        loop {
            match self.repository.forget_keys(FORGET_AT_ONCE).await {
                Ok(0) => return,
                Ok(keys) => tracing::debug!(keys, "idempotency keys forgotten"),
                Err(error) => return tracing::debug!(%error, "cannot forget idempotency keys"),
            }
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
