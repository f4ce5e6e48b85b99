//! What the inventory service is asked, and what it answers.

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

use crate::{ItemId, OrderId, OrderLines, Price, Quantity};

/// An item, and how much of it there is: the answer of `GET /stock/{item_id}`.
///
/// What there was in the beginning is the sum of `available`, `held` and `kept`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockItem {
    /// What it is.
    pub item_id: ItemId,
    /// What it is called.
    pub name: String,
    /// Pieces that can be held; never below zero.
    pub available: i64,
    /// Pieces that are set aside for orders about which it is not yet decided.
    pub held: i64,
    /// Pieces of orders that were confirmed.
    pub kept: i64,
    /// What a piece costs.
    pub price: Price,
}

/// The body of `POST /holds`: what is to be set aside for an order, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Hold {
    /// For which order.
    pub order_id: OrderId,
    /// What it wants: each item once.
    #[serde(deserialize_with = "items")]
    pub items: Vec<HoldLine>,
}

/// How many pieces of an item an order wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct HoldLine {
    /// What.
    pub item_id: ItemId,
    /// How many.
    pub quantity: Quantity,
}

impl Hold {
    /// What an order of these lines wants, sorted by item.
    pub fn new(order_id: OrderId, lines: &OrderLines) -> Self {
        let lines = lines.per_item().into_iter();
        let items = lines.map(|(item_id, quantity)| HoldLine { item_id, quantity });
        Self {
            order_id,
            items: items.collect(),
        }
    }
}

/// Sorted by item, so that nobody who takes them in turn waits in a circle with another.
fn items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HoldLine>, D::Error> {
    let mut items = Vec::<HoldLine>::deserialize(deserializer)?;
    items.sort_by(|one, other| one.item_id.cmp(&other.item_id));
    if items.is_empty() {
        return Err(D::Error::custom("items must name at least one item"));
    }
    if let Some(twice) = items
        .windows(2)
        .find(|two| two[0].item_id == two[1].item_id)
    {
        let item = &twice[0].item_id;
        return Err(D::Error::custom(format!(
            "items must name {item} only once"
        )));
    }
    Ok(items)
}

/// What became of the pieces that were set aside for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldStatus {
    /// They are set aside.
    Held,
    /// The order was confirmed, and has them for good.
    Kept,
    /// The order was rejected, and they went back.
    Released,
}

impl HoldStatus {
    /// The status as JSON and the database name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Kept => "kept",
            Self::Released => "released",
        }
    }
}

/// The answer of `POST /holds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The order.
    pub order_id: OrderId,
    /// What became of it.
    pub status: HoldStatus,
}

/// The `type` of the problem document that `POST /holds` answers: which kind of refusal it is.
pub mod refusals {
    /// There is not enough of an item.
    pub const OUT_OF_STOCK: &str = "urn:orderflow:out-of-stock";
    /// There is no such item.
    pub const UNKNOWN_ITEM: &str = "urn:orderflow:unknown-item";
    /// The order was confirmed or rejected, and can hold nothing more.
    pub const ENDED: &str = "urn:orderflow:ended";
    /// The order holds something else.
    pub const HOLDS_OTHERWISE: &str = "urn:orderflow:holds-otherwise";
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(items: &Value) -> Result<Hold, serde_json::Error> {
        serde_json::from_value(json!({"order_id": OrderId::generate(), "items": items}))
    }

    #[test]
    fn names_a_status_alike_in_json_and_in_text() {
        for status in [HoldStatus::Held, HoldStatus::Kept, HoldStatus::Released] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn a_hold_names_each_item_once_and_sorted() {
        let hold = read(&json!([
            {"item_id": "B", "quantity": 1}, {"item_id": "A", "quantity": 2},
        ]));
        let hold = hold.unwrap();
        let items: Vec<_> = hold
            .items
            .iter()
            .map(|line| line.item_id.as_str())
            .collect();
        assert_eq!(items, ["A", "B"]);
        let twice = json!([{"item_id": "A", "quantity": 1}, {"item_id": "A", "quantity": 2}]);
        assert_eq!(
            read(&twice).unwrap_err().to_string(),
            "items must name A only once"
        );
        assert!(read(&json!([])).is_err());
    }

    #[test]
    fn an_order_wants_the_sum_of_its_lines() {
        let lines: OrderLines = serde_json::from_value(json!([
            {"item_id": "B", "quantity": 1, "price": 1},
            {"item_id": "A", "quantity": 2, "price": 1},
            {"item_id": "B", "quantity": 3, "price": 1},
        ]))
        .unwrap();
        let hold = Hold::new(OrderId::generate(), &lines);
        let items = hold.items.iter();
        let wanted: Vec<_> = items
            .map(|line| (line.item_id.as_str(), line.quantity.get()))
            .collect();
        assert_eq!(wanted, [("A", 2), ("B", 4)]);
    }
}
