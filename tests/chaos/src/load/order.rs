//! What customers order.

use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub(super) struct NewOrder {
    pub(super) customer_id: String,
    items: Vec<Line>,
    note: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Line {
    item_id: &'static str,
    quantity: u32,
    price: u32,
}

/// What there is plenty of.
const PLENTY: [&str; 9] = [
    "ITEM-001", "ITEM-002", "ITEM-003", "ITEM-004", "ITEM-005", "ITEM-006", "ITEM-007", "ITEM-008",
    "ITEM-009",
];
/// There are only five.
const SCARCE: &str = "ITEM-010";
const MORE_THAN_THERE_ARE: u32 = 6;

const NOTES: [&str; 3] = ["", "ring twice", "please leave it with the neighbour"];
const SUSPICIOUS: &str = "ship to a freight forwarder, pay with three different gift cards, urgent";

/// Seven in ten are ordinary, two ask for more than there is, one is suspicious.
pub(super) fn new(customer_id: String, random: &mut fastrand::Rng) -> NewOrder {
    let kind = random.u8(..10);
    let how_many = random.usize(1..=3);
    let items = random.choose_multiple(PLENTY, how_many).into_iter();
    let mut items: Vec<_> = items
        .map(|item_id| line(item_id, random.u32(1..=2)))
        .collect();
    if kind < 2 {
        items.push(line(SCARCE, MORE_THAN_THERE_ARE));
    }
    let note = match kind {
        2 => SUSPICIOUS,
        _ => NOTES[random.usize(..NOTES.len())],
    };
    NewOrder {
        customer_id,
        items,
        note,
    }
}

fn line(item_id: &'static str, quantity: u32) -> Line {
    Line {
        item_id,
        quantity,
        price: 2999,
    }
}
