//! What the services tell each other through brokers.
//!
//! Unlike requests, events tolerate fields that they do not know, in whatever is inside of them too:
//! a producer that is deployed first may already add one, and its messages must not become dead letters.
//! Fields are only ever added, and as optional ones; the values of a field keep their rules.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Category, CustomerId, Note, OrderId, OrderLines, Outcome};

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
    /// The topic of those that could not be processed.
    pub const DEAD_LETTERS: &str = "order.created.dlt";
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
    /// The queue of those that could not be done.
    pub const DEAD_LETTERS: &str = "classification-jobs-dlq";
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

/// What was found out about an order. What becomes of it is for the orders service to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderClassified {
    /// The order.
    pub order_id: OrderId,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// What was found out. The version before named the field `outcome`, for it was a decision then.
    #[serde(alias = "outcome")]
    pub finding: Finding,
    /// What kind of order it is; absent if that was not found out.
    pub category: Option<Category>,
    /// Why, in words for the customer; absent if there is nothing to explain.
    pub reason: Option<String>,
}

impl OrderClassified {
    /// The Pub/Sub topic.
    pub const TOPIC: &str = "order.classified";
    /// The subscription of the orders service.
    pub const SUBSCRIPTION: &str = "orders";
    /// The topic of those that could not be processed.
    pub const DEAD_LETTERS: &str = "order.classified.dlq";
}

/// What was found out about an order. The aliases are the decisions of the version before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// All that it wants is held for it.
    #[serde(alias = "confirmed")]
    Held,
    /// Something that it wants is not to be had; nothing is held for it.
    #[serde(alias = "rejected")]
    Short,
    /// Its job was given up, and is a dead letter; what is held for it stays held.
    #[serde(alias = "failed")]
    GivenUp,
    /// It looks suspicious, and nothing is held for it: only the version before left it at that.
    #[serde(rename = "in_review")]
    NotHeld,
}

/// It was decided what becomes of an order: the word of the orders service, which mail and stock follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEnded {
    /// The order, and the key that keeps its events together.
    pub order_id: OrderId,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// The status that the order reached.
    pub status: Outcome,
    /// What kind of order it is; absent if that was not found out.
    pub category: Option<Category>,
    /// Why, in words for the customer; absent if there is nothing to explain.
    pub reason: Option<String>,
    /// The number of the decision, from 1: who keeps a state by these events ignores a lower one than it has seen.
    pub sequence: i64,
}

impl OrderEnded {
    /// The Kafka topic.
    pub const TOPIC: &str = "order.ended";
    /// The consumer group of the email service.
    pub const EMAIL_GROUP: &str = "email";
    /// The consumer group of the inventory service.
    pub const INVENTORY_GROUP: &str = "inventory";
    /// The topic of those that one of the groups could not process; a letter names its group.
    pub const DEAD_LETTERS: &str = "order.ended.dlt";
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value, json};

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

    /// Everything that a newer producer may have added: a field in each object, however deep.
    fn with_new_fields(json: &Value) -> Value {
        match json {
            Value::Object(fields) => {
                let fields = fields.iter();
                let mut fields: Map<_, _> = fields
                    .map(|(name, value)| (name.clone(), with_new_fields(value)))
                    .collect();
                fields.insert("added".to_owned(), json!({"since": 2}));
                Value::Object(fields)
            }
            Value::Array(values) => values.iter().map(with_new_fields).collect(),
            other => other.clone(),
        }
    }

    fn assert_tolerates_new_fields<E>(event: &E)
    where
        E: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let newer = with_new_fields(&json!(event));
        let read: E = serde_json::from_value(newer).unwrap();
        assert_eq!(read, *event);
    }

    fn order_created() -> OrderCreated {
        serde_json::from_value(json!({
            "order_id": OrderId::generate(), "customer_id": "jane", "note": "ring twice",
            "items": [
                {"item_id": "ITEM-001", "quantity": 2, "price": 2999},
                {"item_id": "ITEM-002", "quantity": 1, "price": 0},
            ],
            "created_at": "2026-11-21T10:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn order_created_tolerates_fields_of_a_newer_producer_at_every_level() {
        assert_tolerates_new_fields(&order_created());
    }

    #[test]
    fn a_classification_job_tolerates_fields_of_a_newer_producer_at_every_level() {
        assert_tolerates_new_fields(&ClassificationJob::from(order_created()));
    }

    #[test]
    fn order_classified_tolerates_fields_of_a_newer_producer_at_every_level() {
        assert_tolerates_new_fields(&OrderClassified {
            order_id: OrderId::generate(),
            customer_id: "jane".parse().unwrap(),
            finding: Finding::Short,
            category: Some(Category::Gift),
            reason: Some("ITEM-010 is out of stock".to_owned()),
        });
    }

    #[test]
    fn order_ended_tolerates_fields_of_a_newer_producer_at_every_level() {
        assert_tolerates_new_fields(&OrderEnded {
            order_id: OrderId::generate(),
            customer_id: "jane".parse().unwrap(),
            status: Outcome::Confirmed,
            category: Some(Category::Standard),
            reason: None,
            sequence: 1,
        });
    }

    #[test]
    fn reads_what_the_version_before_has_sent() {
        let findings = [
            ("confirmed", Finding::Held),
            ("rejected", Finding::Short),
            ("failed", Finding::GivenUp),
            ("in_review", Finding::NotHeld),
        ];
        for (outcome, finding) in findings {
            let event: OrderClassified = serde_json::from_value(json!({
                "order_id": OrderId::generate(), "customer_id": "jane", "outcome": outcome,
                "category": "gift", "reason": null,
            }))
            .unwrap();
            assert_eq!(event.finding, finding);
        }
    }

    #[test]
    fn tolerates_missing_optional_fields() {
        let json = json!({
            "order_id": OrderId::generate(), "customer_id": "jane", "finding": "held",
        });
        let event: OrderClassified = serde_json::from_value(json).unwrap();
        assert_eq!(event.finding, Finding::Held);
        assert_eq!((event.category, event.reason), (None, None));
    }
}
