//! Customers: patient ones, some that hang up, and some that ask twice with one `Idempotency-Key`.

mod asked;
mod hang_up;
mod order;
mod patient;
pub(crate) mod person;

use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub(crate) use self::asked::{Answer, Asked, Manner};
use self::order::NewOrder;

/// How many orders, and how fast.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) orders: usize,
    pub(crate) per_second: u32,
}

impl Load {
    fn pause(self) -> Duration {
        Duration::from_secs(1) / self.per_second
    }

    /// From the first order to the last.
    pub(crate) fn lasts(self) -> Duration {
        let orders = u32::try_from(self.orders).unwrap_or(u32::MAX);
        self.pause().saturating_mul(orders)
    }
}

/// Sends the orders of a cell, whose customers' names begin with `prefix`, and waits for all answers.
pub(crate) async fn run(
    load: Load,
    gateway: &str,
    prefix: &str,
    random: &mut fastrand::Rng,
) -> anyhow::Result<Vec<Asked>> {
    let http = patient::client()?;
    let mut customers = JoinSet::new();
    let pause = load.pause();
    let mut next = Instant::now();
    for number in 0..load.orders {
        let order = order::new(format!("{prefix}{number}"), random);
        let (http, gateway) = (http.clone(), gateway.to_owned());
        // Each has its own chance, so that one seed gives the same orders however fast the machine is.
        let random = random.fork();
        let manner = manner(number);
        customers.spawn(async move { ask(manner, http, &gateway, order, random).await });
        next += pause;
        sleep_until(next).await;
    }
    let mut asked = Vec::new();
    while let Some(one) = customers.join_next().await {
        asked.push(one.context("a customer panicked")??);
    }
    Ok(asked)
}

/// A third hangs up, a sixth insists.
fn manner(number: usize) -> Manner {
    match number % 6 {
        1 | 4 => Manner::HangsUp,
        2 => Manner::Insists,
        _ => Manner::Patient,
    }
}

async fn ask(
    manner: Manner,
    http: reqwest::Client,
    gateway: &str,
    order: NewOrder,
    mut random: fastrand::Rng,
) -> anyhow::Result<Asked> {
    let url = format!("{gateway}/orders");
    let answers = match manner {
        Manner::Patient => vec![patient::ask(&http, &url, &order, None).await],
        Manner::Insists => {
            let key = format!("chaos-{}", order.customer_id);
            let (one, other) = tokio::join!(
                patient::insist(&http, &url, &order, &key),
                patient::insist(&http, &url, &order, &key)
            );
            vec![one, other]
        }
        Manner::HangsUp => vec![hang_up::ask(gateway, &order, &mut random).await?],
    };
    Ok(Asked {
        customer: order.customer_id,
        manner,
        answers,
    })
}
