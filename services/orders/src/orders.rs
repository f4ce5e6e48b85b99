//! Placing orders, and deciding what becomes of them.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use domain::{Category, CustomerId, NewOrder, Note, OrderId, OrderLines, OrderStatus};
use telemetry::{Faults, Hop};
use tokio::sync::Notify;

use crate::decision::Decision;
use crate::idempotency::IdempotencyKey;
use crate::messages::events;
use crate::repository::OrderRepository;

/// An order as it was accepted, and where it is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) customer_id: CustomerId,
    pub(crate) lines: OrderLines,
    pub(crate) note: Note,
    pub(crate) status: OrderStatus,
    pub(crate) category: Option<Category>,
    /// Why it has its status, in words for the customer.
    pub(crate) reason: Option<String>,
    /// The trace it began in; none when tracing was off.
    pub(crate) trace_id: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl Order {
    fn accept(new: NewOrder) -> Self {
        // PostgreSQL keeps microseconds; the answer must not differ from what is read back.
        let now = Utc::now().trunc_subsecs(6);
        Self {
            id: OrderId::generate(),
            customer_id: new.customer_id,
            lines: new.items,
            note: new.note,
            status: OrderStatus::Pending,
            category: None,
            reason: None,
            trace_id: telemetry::trace_id(),
            created_at: now,
            updated_at: now,
        }
    }

    fn is_of(&self, new: &NewOrder) -> bool {
        self.customer_id == new.customer_id && self.lines == new.items && self.note == new.note
    }

    /// As it was when it was accepted.
    fn when_accepted(self) -> Self {
        Self {
            status: OrderStatus::Pending,
            category: None,
            reason: None,
            updated_at: self.created_at,
            ..self
        }
    }
}

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
