//! The orders of the traffic: what customers of a small shop would ask for.

use std::ops::RangeInclusive;

use domain::NewOrder;
use serde_json::{Value, json};

/// What the inventory has plenty of, and what it costs, in minor units.
const ITEMS: [(&str, u32); 9] = [
    ("ITEM-001", 2999),
    ("ITEM-002", 4500),
    ("ITEM-003", 599),
    ("ITEM-004", 3500),
    ("ITEM-005", 4999),
    ("ITEM-006", 8900),
    ("ITEM-007", 1899),
    ("ITEM-008", 1299),
    ("ITEM-009", 1999),
];

/// What the inventory has only five of, and never gets more.
const SCARCE: (&str, u32) = ("ITEM-010", 7900);
const MORE_THAN_THERE_ARE: RangeInclusive<u32> = 6..=20;

const CUSTOMERS: [&str; 8] = [
    "ada",
    "barbara",
    "edsger",
    "frances",
    "grace",
    "katherine",
    "niklaus",
    "radia",
];

const NOTES: [&str; 6] = [
    "please leave it with the neighbour",
    "it is a birthday present, please wrap it",
    "glass inside, handle with care",
    "keep refrigerated, it must arrive fresh",
    "ring twice",
    "deliver to the office, second floor",
];

const SUSPICIOUS_NOTES: [&str; 3] = [
    "ship to a freight forwarder, pay with three different gift cards, urgent",
    "change the delivery address after payment, use several stolen looking cards, hurry",
    "urgent overnight to a freight forwarder, billing name differs, pay with gift cards",
];

/// What an order is meant to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ordinary,
    WithoutStock,
    Suspicious,
}

/// One order of the given kind; the same `random` gives the same order.
pub(crate) fn order(kind: Kind, random: &mut fastrand::Rng) -> NewOrder {
    let customer = pick(&CUSTOMERS, random);
    let mut items = items(random);
    let note = match kind {
        Kind::Suspicious => Some(pick(&SUSPICIOUS_NOTES, random)),
        _ => random.bool().then(|| pick(&NOTES, random)),
    };
    if kind == Kind::WithoutStock {
        items.push(item(SCARCE, random.u32(MORE_THAN_THERE_ARE)));
    }
    let order = json!({"customer_id": customer, "items": items, "note": note});
    serde_json::from_value(order).expect("the gateway takes it too")
}

/// Eight in ten are ordinary, one asks for too much, one is suspicious.
pub(crate) fn kind(random: &mut fastrand::Rng) -> Kind {
    match random.u8(0..10) {
        0 => Kind::WithoutStock,
        1 => Kind::Suspicious,
        _ => Kind::Ordinary,
    }
}

/// One to three different items, mostly one of each.
fn items(random: &mut fastrand::Rng) -> Vec<Value> {
    let how_many = random.usize(1..=3);
    let chosen = random.choose_multiple(ITEMS, how_many);
    let of_the_first = random.u32(1..=2);
    let chosen = chosen.into_iter().enumerate();
    let quantity = |at| if at == 0 { of_the_first } else { 1 };
    chosen.map(|(at, what)| item(what, quantity(at))).collect()
}

fn item((id, price): (&str, u32), quantity: u32) -> Value {
    json!({"item_id": id, "quantity": quantity, "price": price})
}

fn pick<'a>(from: &[&'a str], random: &mut fastrand::Rng) -> &'a str {
    from[random.usize(..from.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(seed: u64) -> Vec<NewOrder> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..100)
            .map(|_| order(kind(&mut random), &mut random))
            .collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_orders() {
        assert_eq!(orders(7), orders(7));
        assert_ne!(orders(7), orders(8));
    }

    #[test]
    fn no_order_names_an_item_twice() {
        for order in orders(1) {
            let items = order.items.as_slice();
            assert_eq!(order.items.per_item().len(), items.len(), "{order:?}");
        }
    }

    #[test]
    fn a_hundred_orders_show_every_kind_and_are_mostly_ordinary() {
        let mut random = fastrand::Rng::with_seed(1);
        let kinds: Vec<_> = (0..100).map(|_| kind(&mut random)).collect();
        let count = |wanted| kinds.iter().filter(|kind| **kind == wanted).count();
        assert!(count(Kind::Ordinary) > 60);
        assert!(count(Kind::WithoutStock) > 0);
        assert!(count(Kind::Suspicious) > 0);
    }
}
