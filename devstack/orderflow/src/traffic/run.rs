//! Placing orders and following each to its end.

use std::time::Duration;

use futures::stream::{self, Stream, StreamExt as _};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::gateway::{Gateway, NewOrder, Order, Status};

/// The first question; then they grow apart, since each one is a trace of its own in the store.
const FIRST_POLL: Duration = Duration::from_millis(50);
const LONGEST_POLL: Duration = Duration::from_millis(500);

/// What became of one order.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The gateway did not take it.
    Refused(anyhow::Error),
    /// It was accepted, and ended.
    Ended(Order),
    /// It was accepted, and was still under way when time was up.
    NotEnded(Order),
}

impl Outcome {
    /// The order, if it ended.
    pub(crate) fn ended(&self) -> Option<&Order> {
        match self {
            Self::Ended(order) => Some(order),
            Self::Refused(_) | Self::NotEnded(_) => None,
        }
    }
}

/// How fast the orders come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Orders per second; 0 for as fast as they are taken.
    pub(crate) rate: f64,
    /// Orders under way at once, at most.
    pub(crate) concurrency: usize,
    /// How long one order may take.
    pub(crate) limit: Duration,
}

/// Sends `orders` at `pace`; the outcomes come in the order of their ends.
pub(crate) fn send_all(
    gateway: &Gateway,
    orders: impl IntoIterator<Item = NewOrder>,
    pace: Pace,
) -> impl Stream<Item = Outcome> {
    paced(orders.into_iter(), pace.rate)
        .map(move |order| place_and_follow(gateway, order, pace.limit))
        .buffer_unordered(pace.concurrency)
}

/// After a stall the rate goes on; it does not catch up in a burst that no customer would make.
fn paced(orders: impl Iterator<Item = NewOrder>, rate: f64) -> impl Stream<Item = NewOrder> {
    let clock = (rate > 0.0).then(|| {
        let mut clock = interval(Duration::from_secs_f64(1.0 / rate));
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        clock
    });
    stream::unfold((orders, clock), async |(mut orders, mut clock)| {
        let order = orders.next()?;
        if let Some(clock) = &mut clock {
            clock.tick().await;
        }
        Some((order, (orders, clock)))
    })
}

/// Places one order and asks for it until it has ended.
pub(crate) async fn place_and_follow(
    gateway: &Gateway,
    order: NewOrder,
    limit: Duration,
) -> Outcome {
    let placed = match gateway.place(&order).await {
        Ok(placed) => placed,
        Err(error) => return Outcome::Refused(error),
    };
    match timeout(limit, follow(gateway, &placed.id)).await {
        Ok(order) => Outcome::Ended(order),
        Err(_elapsed) => Outcome::NotEnded(placed),
    }
}

async fn follow(gateway: &Gateway, id: &str) -> Order {
    let mut pause = FIRST_POLL;
    loop {
        sleep(pause).await;
        // A failed question is asked again: what matters is whether the order ends.
        if let Ok(Some(order)) = gateway.order(id).await
            && order.status != Status::Pending
        {
            return order;
        }
        pause = (pause * 3 / 2).min(LONGEST_POLL);
    }
}
