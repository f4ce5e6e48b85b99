//! What a customer orders.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::object::Object;
use crate::{CustomerId, ItemId, Note, Price, Quantity};

/// An order as a customer sends it: the body of `POST /orders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct NewOrder {
    /// Who orders.
    pub customer_id: CustomerId,
    /// What is ordered.
    #[serde(deserialize_with = "requested_lines")]
    pub items: OrderLines,
    /// What else the customer wants to say.
    #[serde(default, deserialize_with = "requested_note")]
    pub note: Note,
}

/// A client that has no note may leave it out or send `null`.
fn requested_note<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Note, D::Error> {
    let note: Note = Option::deserialize(deserializer)?.unwrap_or_default();
    note.refuse_noncharacters().map_err(D::Error::custom)
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct OrderLine {
    /// What.
    pub item_id: ItemId,
    /// How many.
    pub quantity: Quantity,
    /// For how much apiece.
    pub price: Price,
}

/// A line as a customer sends it. A field that we do not know may be one that was misspelt; events have the tolerant
/// [`OrderLine`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RequestedLine {
    item_id: ItemId,
    quantity: Quantity,
    price: Price,
}

impl From<RequestedLine> for OrderLine {
    fn from(line: RequestedLine) -> Self {
        Self {
            item_id: line.item_id,
            quantity: line.quantity,
            price: line.price,
        }
    }
}

fn requested_lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OrderLines, D::Error> {
    read_lines::<D, RequestedLine>(deserializer)
}

/// The lines of an order: 1 to 100, and of no item more than fits a [`Quantity`], all its lines together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderLines(Vec<OrderLine>);

/// Lines that make no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderLinesError {
    /// None, or more than 100.
    #[error("items must be 1 to {max} lines, not {0}", max = OrderLines::MAX)]
    Count(usize),
    /// The lines of one item add up to more than a quantity can be.
    #[error("items must not add up to more than 1000000 of {0}")]
    TooManyOf(ItemId),
}

impl OrderLines {
    const MAX: usize = 100;

    /// The lines in the order they were sent.
    pub fn as_slice(&self) -> &[OrderLine] {
        &self.0
    }

    /// How many of each item, all its lines together, sorted by item.
    ///
    /// Whoever reserves in this order cannot wait in a circle with another order.
    pub fn per_item(&self) -> Vec<(ItemId, Quantity)> {
        let sums = sum_per_item(&self.0).into_iter();
        sums.map(|(item, sum)| {
            (
                item.clone(),
                Quantity::new(sum).expect("the sums were checked"),
            )
        })
        .collect()
    }

    /// The price of the whole order in minor units.
    ///
    /// 100 lines of at most 10⁶ × 10⁹ stay far below the 9.2 × 10¹⁸ of an `i64`.
    pub fn total(&self) -> i64 {
        self.0
            .iter()
            .map(|line| line.quantity.get() * line.price.get())
            .sum()
    }
}

fn sum_per_item(lines: &[OrderLine]) -> BTreeMap<&ItemId, i64> {
    let mut sums = BTreeMap::new();
    for line in lines {
        *sums.entry(&line.item_id).or_default() += line.quantity.get();
    }
    sums
}

impl TryFrom<Vec<OrderLine>> for OrderLines {
    type Error = OrderLinesError;

    fn try_from(lines: Vec<OrderLine>) -> Result<Self, OrderLinesError> {
        if lines.is_empty() || lines.len() > Self::MAX {
            return Err(OrderLinesError::Count(lines.len()));
        }
        let sums = sum_per_item(&lines);
        match sums.iter().find(|(_, sum)| Quantity::new(**sum).is_err()) {
            Some((item, _)) => Err(OrderLinesError::TooManyOf((*item).clone())),
            None => Ok(Self(lines)),
        }
    }
}

impl<'de> Deserialize<'de> for OrderLines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_lines::<D, OrderLine>(deserializer)
    }
}

fn read_lines<'de, D, L>(deserializer: D) -> Result<OrderLines, D::Error>
where
    D: Deserializer<'de>,
    L: Deserialize<'de> + Into<OrderLine>,
{
    let lines = Vec::<Object<L>>::deserialize(deserializer)?;
    let lines: Vec<_> = lines.into_iter().map(|Object(line)| line.into()).collect();
    lines.try_into().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(item: &str, quantity: i64, price: i64) -> OrderLine {
        OrderLine {
            item_id: item.parse().unwrap(),
            quantity: Quantity::new(quantity).unwrap(),
            price: Price::new(price).unwrap(),
        }
    }

    #[test]
    fn merges_the_lines_of_an_item_and_adds_everything_up() {
        let lines = vec![line("B", 1, 5), line("A", 2, 10), line("B", 3, 7)];
        let lines = OrderLines::try_from(lines).unwrap();
        let per_item: Vec<_> = lines
            .per_item()
            .iter()
            .map(|(item, n)| (item.to_string(), n.get()))
            .collect();
        assert_eq!(per_item, [("A".to_owned(), 2), ("B".to_owned(), 4)]);
        assert_eq!(lines.total(), 5 + 20 + 21);
    }

    #[test]
    fn refuses_no_lines_and_too_many() {
        assert_eq!(OrderLines::try_from(vec![]), Err(OrderLinesError::Count(0)));
        let lines = |n| vec![line("A", 1, 1); n];
        assert!(OrderLines::try_from(lines(100)).is_ok());
        assert_eq!(
            OrderLines::try_from(lines(101)),
            Err(OrderLinesError::Count(101))
        );
    }

    #[test]
    fn refuses_lines_that_add_up_to_more_than_a_quantity() {
        let lines = vec![line("A", 1_000_000, 0), line("B", 1, 0), line("A", 1, 0)];
        let error = OrderLines::try_from(lines).unwrap_err();
        assert_eq!(
            error.to_string(),
            "items must not add up to more than 1000000 of A"
        );
    }

    #[test]
    fn adds_up_the_dearest_order_without_overflow() {
        let lines: Vec<_> = (0..100)
            .map(|n| line(&format!("I{n}"), 1_000_000, 1_000_000_000))
            .collect();
        let lines = OrderLines::try_from(lines).unwrap();
        assert_eq!(lines.total(), 100_000_000_000_000_000);
    }

    #[test]
    fn reads_an_order_with_and_without_a_note() {
        for note in ["", r#","note":null"#, r#","note":"""#] {
            let json = format!(
                r#"{{"customer_id":"jane","items":[{{"item_id":"A","quantity":1,"price":0}}]{note}}}"#
            );
            let order: NewOrder = serde_json::from_str(&json).unwrap();
            assert_eq!(order.note, Note::default());
        }
    }

    #[test]
    fn refuses_a_note_that_sqs_would_refuse_but_reads_one_that_was_accepted_before() {
        for wrong in ['\u{fffe}', '\u{ffff}'] {
            let json = serde_json::json!({
                "customer_id": "jane", "items": [{"item_id": "A", "quantity": 1, "price": 0}],
                "note": format!("a{wrong}b"),
            });
            let error = serde_json::from_value::<NewOrder>(json.clone()).unwrap_err();
            assert!(
                error.to_string().contains("note must not contain U+FFF"),
                "{error}"
            );
            assert!(serde_json::from_value::<Note>(json["note"].clone()).is_ok());
        }
        for right in ["\u{fffd}", "\u{10ffff}", "\u{1fffe}", "\n\t"] {
            assert!(
                right
                    .parse::<Note>()
                    .unwrap()
                    .refuse_noncharacters()
                    .is_ok()
            );
        }
    }

    #[test]
    fn refuses_an_array_in_the_place_of_a_line() {
        let json = r#"{"customer_id":"jane","items":[["A",1,100]]}"#;
        let error = serde_json::from_str::<NewOrder>(json).unwrap_err();
        let expected = "invalid type: sequence, expected an object at line 1";
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for json in [
            r#"{"customer_id":"jane","items":[{"item_id":"A","quantity":1,"price":0}],"coupon":"X"}"#,
            r#"{"customer_id":"jane","items":[{"item_id":"A","quantity":1,"price":0,"size":2}]}"#,
        ] {
            let error = serde_json::from_str::<NewOrder>(json)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("unknown field"), "{error}");
        }
    }
}
