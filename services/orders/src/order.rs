//! An order.

use chrono::{DateTime, SubsecRound, Utc};
use domain::{Category, CustomerId, NewOrder, Note, OrderId, OrderLines, OrderStatus};

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
    /// A new order, as it comes in now.
    pub(crate) fn accept(new: NewOrder) -> Self {
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

    /// Whether it is what was asked for.
    pub(crate) fn is_of(&self, new: &NewOrder) -> bool {
        self.customer_id == new.customer_id && self.lines == new.items && self.note == new.note
    }

    /// As it was when it was accepted.
    pub(crate) fn when_accepted(self) -> Self {
        Self {
            status: OrderStatus::Pending,
            category: None,
            reason: None,
            updated_at: self.created_at,
            ..self
        }
    }
}
