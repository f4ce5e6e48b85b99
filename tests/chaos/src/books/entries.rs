//! What stands in the books.

use std::collections::BTreeMap;
use std::fmt;

use sqlx::FromRow;
use uuid::Uuid;

use crate::load::Asked;

/// Everything that is known about the orders of one cell, and what all of them share.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// What the customers asked for and were told.
    pub(crate) asked: Vec<Asked>,
    pub(crate) orders: Vec<Order>,
    pub(crate) outbox: Vec<OutboxRow>,
    /// `order.ended` as Kafka has it, in its order.
    pub(crate) ended: Vec<Ended>,
    /// What the inventory knows of each order as a whole.
    pub(crate) holdings: Vec<Holding>,
    pub(crate) reservations: Vec<Reservation>,
    /// Of every item, of all orders ever.
    pub(crate) stock: Vec<Stock>,
    /// By item, before the first order.
    pub(crate) initial: BTreeMap<String, i64>,
    /// The email service's own notes.
    pub(crate) written: Vec<Written>,
    pub(crate) mails: Vec<Mail>,
    pub(crate) waiting: Vec<Waiting>,
    /// Whether this cell's fault may make a mail come twice.
    pub(crate) may_mail_twice: bool,
}

#[derive(Debug, Clone, FromRow)]
pub(crate) struct Order {
    pub(crate) id: Uuid,
    pub(crate) customer_id: String,
    pub(crate) status: String,
    /// How many decisions there were.
    pub(crate) decision: i64,
    /// How often its event was sent again.
    pub(crate) resent: i32,
    pub(crate) trace_id: Option<String>,
    #[sqlx(skip)]
    pub(crate) items: BTreeMap<String, i64>,
}

#[derive(Debug, Clone, FromRow)]
pub(crate) struct OutboxRow {
    pub(crate) topic: String,
    pub(crate) key: String,
}

/// An `order.ended` event.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Ended {
    pub(crate) order_id: Uuid,
    pub(crate) status: String,
    pub(crate) sequence: i64,
}

#[derive(Debug, Clone, FromRow)]
pub(crate) struct Holding {
    pub(crate) order_id: Uuid,
    pub(crate) status: Option<String>,
    /// The number of the last decision that was followed.
    pub(crate) decision: i64,
}

#[derive(Debug, Clone, FromRow)]
pub(crate) struct Reservation {
    pub(crate) order_id: Uuid,
    pub(crate) item_id: String,
    pub(crate) quantity: i64,
    pub(crate) status: String,
}

#[derive(Debug, Clone, FromRow)]
pub(crate) struct Stock {
    pub(crate) item_id: String,
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) kept: i64,
}

#[derive(Debug, Clone, FromRow)]
pub(crate) struct Written {
    pub(crate) order_id: Uuid,
    pub(crate) status: String,
    pub(crate) sent: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) order_id: Uuid,
    pub(crate) subject: String,
    pub(crate) message_id: String,
}

/// Messages in a place of a broker where none should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) place: String,
    pub(crate) messages: i64,
    pub(crate) dead: bool,
}

/// One thing that does not balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Imbalance {
    /// Absent when it is not about one order.
    pub(crate) order: Option<Uuid>,
    pub(crate) problem: String,
}

impl Imbalance {
    pub(super) fn of(order: Uuid, problem: impl Into<String>) -> Self {
        Self {
            order: Some(order),
            problem: problem.into(),
        }
    }

    pub(crate) fn general(problem: impl Into<String>) -> Self {
        Self {
            order: None,
            problem: problem.into(),
        }
    }
}

impl fmt::Display for Imbalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.order {
            Some(order) => write!(f, "order {order}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}
