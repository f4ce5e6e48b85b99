//! Holding stock for orders, until it is decided what becomes of them.
//!
//! Callers hear about an order at least once, so they may ask twice, and beside the decision about it: an order holds all
//! that it wants or nothing, once, and nothing more after its end.

use std::time::Duration;

use domain::{Hold, HoldStatus, Holding, ItemId, OrderId, Outcome, StockItem};

use crate::repository::{Decision, StockRepository, Taken};

/// Why nothing is held.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HoldError {
    #[error("{0} is not in our catalogue")]
    UnknownItem(ItemId),
    #[error("{0} is out of stock")]
    OutOfStock(ItemId),
    #[error("the order has ended")]
    Ended,
    #[error("the order holds something else")]
    HoldsOtherwise,
    #[error(transparent)]
    Unexpected(#[from] sqlx::Error),
}

/// Why nothing is told about an item.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ItemError {
    #[error("there is no item {0}")]
    Unknown(ItemId),
    #[error(transparent)]
    Unexpected(#[from] sqlx::Error),
}

/// What came of a decision about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// What it held is kept for it.
    Kept,
    /// What it held went back.
    Released,
    /// What it holds stays held.
    StaysHeld,
    /// It holds nothing; if the decision was its end, it never will.
    NothingHeld,
    /// Nothing: this decision or a later one was followed before.
    Before,
}

/// What there is, and which orders have it.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    repository: StockRepository,
    /// A fault on purpose: so much longer takes each hold.
    delay: Duration,
}

impl Stock {
    pub(crate) fn new(repository: StockRepository, delay: Duration) -> Self {
        Self { repository, delay }
    }

    pub(crate) async fn find_all(&self) -> Result<Vec<StockItem>, sqlx::Error> {
        self.repository.find_all().await
    }

    pub(crate) async fn get(&self, item: ItemId) -> Result<StockItem, ItemError> {
        let found = self.repository.get(&item).await?;
        found.ok_or(ItemError::Unknown(item))
    }

    /// Holds all that an order wants, or nothing. A refusal is not remembered: asked again later, it may be granted.
    pub(crate) async fn hold(&self, hold: &Hold) -> Result<Holding, HoldError> {
        if !self.delay.is_zero() {
            // Before the statement: nobody waits for a row meanwhile.
            tokio::time::sleep(self.delay).await;
        }
        loop {
            match self.repository.take(hold).await? {
                Taken::All => return Ok(held(hold.order_id)),
                Taken::OutOfStock(item) => return Err(HoldError::OutOfStock(item)),
                Taken::UnknownItem(item) => return Err(HoldError::UnknownItem(item)),
                Taken::Before => {}
            }
            if let Some(answer) = self.answer_again(hold).await? {
                return answer;
            }
        }
    }

    /// What an order is told that held something before, or has ended; `None` if it holds nothing any more, and may.
    async fn answer_again(
        &self,
        hold: &Hold,
    ) -> Result<Option<Result<Holding, HoldError>>, sqlx::Error> {
        let Some(holding) = self.repository.holding(hold.order_id).await? else {
            return Ok(None);
        };
        Ok(match holding.status {
            HoldStatus::Kept | HoldStatus::Released => Some(Err(HoldError::Ended)),
            HoldStatus::Held if holding.is_of(hold) => Some(Ok(held(hold.order_id))),
            HoldStatus::Held if holding.whole => Some(Err(HoldError::HoldsOtherwise)),
            HoldStatus::Held => {
                self.repository.give_part_back(hold.order_id).await?;
                None
            }
        })
    }

    /// Does with what an order holds as was decided. `number` is that of the decision: an older one changes nothing.
    pub(crate) async fn follow(
        &self,
        order: OrderId,
        outcome: Outcome,
        number: i64,
    ) -> Result<Followed, sqlx::Error> {
        let end = end_by(outcome);
        loop {
            match self.repository.follow(order, end, number).await? {
                Decision::Followed { held: false } => return Ok(Followed::NothingHeld),
                Decision::Followed { held: true } => return Ok(done(end)),
                Decision::Before => return Ok(Followed::Before),
                // An order changes only a few times: this has an end.
                Decision::ChangedMeanwhile => {}
            }
        }
    }
}

fn held(order_id: OrderId) -> Holding {
    let status = HoldStatus::Held;
    Holding { order_id, status }
}

/// What becomes of what an order holds; `None` if it stays held.
fn end_by(outcome: Outcome) -> Option<HoldStatus> {
    match outcome {
        Outcome::Confirmed => Some(HoldStatus::Kept),
        Outcome::Rejected => Some(HoldStatus::Released),
        Outcome::InReview | Outcome::Failed => None,
    }
}

fn done(end: Option<HoldStatus>) -> Followed {
    match end {
        Some(HoldStatus::Kept) => Followed::Kept,
        Some(HoldStatus::Released) => Followed::Released,
        Some(HoldStatus::Held) | None => Followed::StaysHeld,
    }
}
