//! Placing orders, and taking them to their end.

use chrono::{DateTime, SubsecRound, Utc};
use domain::{Category, CustomerId, NewOrder, Note, OrderId, OrderLines, OrderStatus};
use telemetry::{Faults, Hop};

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
            trace_id: telemetry::trace_id(),
            created_at: now,
            updated_at: now,
        }
    }
}

/// What became of a request to change an order's status.
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
}

impl Orders {
    pub(crate) fn new(repository: OrderRepository, faults: Faults) -> Self {
        Self { repository, faults }
    }

    /// Accepts an order; the event about it is sent if and only if the order is kept.
    pub(crate) async fn place(&self, new: NewOrder) -> Result<Order, sqlx::Error> {
        let order = Order::accept(new);
        telemetry::set_attribute("orderflow.order.id", order.id.to_string());
        let event = events::order_created(&order, self.faults.propagates(Hop::Outbox));
        self.repository.insert(&order, &event).await?;
        tracing::info!(order_id = %order.id, "order accepted");
        Ok(order)
    }

    /// Takes an order on; asked twice, it changes once.
    pub(crate) async fn change_status(
        &self,
        id: OrderId,
        status: OrderStatus,
        category: Option<Category>,
    ) -> Result<Change, sqlx::Error> {
        if self.repository.update_status(id, status, category).await? {
            return Ok(Change::Made);
        }
        let change = match self.repository.get(id).await? {
            None => Change::UnknownOrder,
            Some(order) if order.status == status => Change::AsBefore,
            Some(order) => Change::Refused(order.status),
        };
        Ok(change)
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
