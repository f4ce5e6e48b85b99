//! What the services tell each other through brokers.
//!
//! Unlike requests, events tolerate fields that they do not know:
//! a producer that is deployed first may already add one, and its messages must not become dead letters.
//! Fields are only ever added, and as optional ones; the values of a field keep their rules.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Category, CustomerId, Note, OrderId, OrderLines};

/// An order was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCreated {
    /// The order, and the key that keeps its events together.
    pub order_id: OrderId,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// What was ordered.
    pub items: OrderLines,
    /// What else the customer said.
    pub note: Note,
    /// When the order was accepted.
    pub created_at: DateTime<Utc>,
}

impl OrderCreated {
    /// The Kafka topic.
    pub const TOPIC: &str = "order.created";
}

/// An order is to be classified: work for one of many workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassificationJob {
    /// The order.
    pub order_id: OrderId,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// What was ordered.
    pub items: OrderLines,
    /// What else the customer said.
    pub note: Note,
}

impl ClassificationJob {
    /// The SQS queue.
    pub const QUEUE: &str = "classification-jobs";
}

impl From<OrderCreated> for ClassificationJob {
    fn from(order: OrderCreated) -> Self {
        Self {
            order_id: order.order_id,
            customer_id: order.customer_id,
            items: order.items,
            note: order.note,
        }
    }
}

/// It was decided what becomes of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderClassified {
    /// The order.
    pub order_id: OrderId,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// What becomes of it.
    pub outcome: Outcome,
    /// What kind of order it is; absent if that was not found out.
    pub category: Option<Category>,
    /// Why, in words for the customer; absent if there is nothing to explain.
    pub reason: Option<String>,
}

impl OrderClassified {
    /// The Pub/Sub topic.
    pub const TOPIC: &str = "order.classified";
    /// The subscription of the orders service.
    pub const ORDERS_SUBSCRIPTION: &str = "orders";
    /// The subscription of the email service.
    pub const EMAIL_SUBSCRIPTION: &str = "email";
}

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is reserved.
    Confirmed,
    /// Something is not to be had.
    Rejected,
    /// A person must look at it.
    InReview,
    /// It could not be processed.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OrderStatus;
    use serde_json::json;

    #[test]
    fn writes_events_as_agreed_and_reads_them_back() {
        let order_id = OrderId::generate();
        let json = json!({
            "order_id": order_id, "customer_id": "jane", "note": "",
            "items": [{"item_id": "ITEM-001", "quantity": 2, "price": 2999}],
            "created_at": "2026-11-21T10:00:00Z",
        });
        let event: OrderCreated = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
        let job = serde_json::to_value(ClassificationJob::from(event)).unwrap();
        assert_eq!(job["items"], json["items"]);
        assert_eq!(job.get("created_at"), None);
    }

    #[test]
    fn tolerates_fields_of_a_newer_producer_and_missing_optional_ones() {
        let json = json!({
            "order_id": OrderId::generate(), "customer_id": "jane", "outcome": "in_review", "confidence": 0.9,
        });
        let event: OrderClassified = serde_json::from_value(json).unwrap();
        assert_eq!(OrderStatus::from(event.outcome), OrderStatus::InReview);
        assert_eq!((event.category, event.reason), (None, None));
    }
}
