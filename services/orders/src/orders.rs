//! Placing orders, and deciding what becomes of them.

use std::sync::Arc;

use domain::{NewOrder, OrderId, OrderStatus};
use telemetry::{Faults, Hop};
use tokio::sync::Notify;

use crate::decision::Decision;
use crate::idempotency::IdempotencyKey;
use crate::messages::events;
use crate::order::Order;
use crate::repository::OrderRepository;

/// What became of a request to place an order.
#[derive(Debug)]
pub(crate) enum Placed {
    /// It was accepted, by this request or by an earlier one with the same key.
    Accepted(Order),
    /// The key was used for another order.
    KeyOfAnother,
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Made,
    /// It has that status already.
    AsBefore,
    /// An order of this status does not go there.
    Refused(OrderStatus),
    UnknownOrder,
}

/// The orders of the shop.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    repository: OrderRepository,
    faults: Faults,
    /// Told when there is something in the outbox.
    outbox: Arc<Notify>,
}

impl Orders {
    pub(crate) fn new(repository: OrderRepository, faults: Faults, outbox: Arc<Notify>) -> Self {
        Self {
            repository,
            faults,
            outbox,
        }
    }

    /// Accepts an order; the event about it is sent if and only if the order is kept.
    ///
    /// With a key it is accepted once, however often it is asked for, and also when that happens at the same time.
    pub(crate) async fn place(
        &self,
        new: NewOrder,
        key: Option<&IdempotencyKey>,
    ) -> Result<Placed, sqlx::Error> {
        let order = Order::accept(new.clone());
        let event = events::order_created(&order, self.faults.propagates(Hop::Outbox));
        let inserted = self.repository.insert(&order, &event, key).await?;
        match key {
            Some(key) if !inserted => self.placed_before(&new, key).await,
            _ => {
                self.outbox.notify_one();
                telemetry::set_attribute("orderflow.order.id", order.id.to_string());
                tracing::info!(order_id = %order.id, "order accepted");
                Ok(Placed::Accepted(order))
            }
        }
    }

    async fn placed_before(
        &self,
        new: &NewOrder,
        key: &IdempotencyKey,
    ) -> Result<Placed, sqlx::Error> {
        let before = self.repository.get_by_key(key).await?;
        telemetry::set_attribute("orderflow.order.id", before.id.to_string());
        if !before.is_of(new) {
            return Ok(Placed::KeyOfAnother);
        }
        tracing::info!(order_id = %before.id, "order was accepted before");
        Ok(Placed::Accepted(before.when_accepted()))
    }

    /// Decides about an order; asked twice, it changes once. The event about it is sent if and only if it changes.
    pub(crate) async fn decide(
        &self,
        id: OrderId,
        decision: &Decision,
    ) -> Result<Change, sqlx::Error> {
        let event = events::order_ended(id, decision, self.faults.propagates(Hop::Outbox));
        if let Some(decided) = self.repository.decide(id, decision, &event).await? {
            self.outbox.notify_one();
            decision.link(&decided);
            return Ok(Change::Made);
        }
        let Some((status, order)) = self.repository.get_status(id).await? else {
            return Ok(Change::UnknownOrder);
        };
        decision.link(&order);
        Ok(if status == decision.outcome.into() {
            Change::AsBefore
        } else {
            Change::Refused(status)
        })
    }

    /// Has the event about an order sent again soon; `false` if the order is not pending.
    pub(crate) async fn start_again(&self, id: OrderId) -> Result<bool, sqlx::Error> {
        self.repository.make_resend_due(id).await
    }

    pub(crate) async fn get(&self, id: OrderId) -> Result<Option<Order>, sqlx::Error> {
        self.repository.get(id).await
    }

    /// The newest orders, in two queries however many they are.
    pub(crate) async fn find_newest(&self, limit: i64) -> Result<Vec<Order>, sqlx::Error> {
        self.repository.find_newest(limit).await
    }

    /// The newest orders with one query for each: slow on purpose, to be seen in its trace.
    pub(crate) async fn find_newest_one_by_one(
        &self,
        limit: i64,
    ) -> Result<Vec<Order>, sqlx::Error> {
        let mut orders = Vec::new();
        for id in self.repository.find_newest_ids(limit).await? {
            orders.extend(self.repository.get(id).await?);
        }
        Ok(orders)
    }
}
