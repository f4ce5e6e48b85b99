//! Placing orders and following each to its end.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use domain::NewOrder;
use futures::stream::{self, Stream, StreamExt as _};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::gateway::{Gateway, Order, Status};

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
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Pace {
    /// Orders per second; 0 places them as fast as they are accepted.
    #[arg(long, default_value_t = 5.0, value_name = "R", value_parser = parse_rate)]
    rate: f64,
    /// Orders under way at once, at most.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    concurrency: usize,
    /// Seconds that one order may take to its end.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    timeout: u64,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    let is_possible = (0.0..=1e6).contains(&rate);
    is_possible
        .then_some(rate)
        .ok_or_else(|| "from 0 to 1000000".to_owned())
}

/// Sends `orders` at `pace`; the outcomes come in the order of their ends.
pub(crate) fn send_all(
    gateway: &Gateway,
    orders: impl IntoIterator<Item = NewOrder>,
    pace: Pace,
) -> impl Stream<Item = Outcome> {
    let limit = Duration::from_secs(pace.timeout);
    paced(orders.into_iter(), pace.rate)
        .map(move |order| place_and_follow(gateway, order, limit))
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
