//! What must be true of the books. One function per rule.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::{Books, Imbalance, Order};
use crate::load::{Answer, Manner};

type Rule = fn(&Books) -> Vec<Imbalance>;

/// What an order is about comes first: the first imbalance is shown with its order.
const RULES: [Rule; 12] = [
    who_was_told_201_has_an_order,
    one_order_for_each_customer,
    right_orders_are_not_refused,
    every_order_leaves_pending,
    every_decision_was_told,
    one_mail_for_each_status,
    the_email_service_knows_what_it_sent,
    inventory_follows_the_last_decision,
    stock_follows_the_status,
    no_piece_is_lost,
    the_outbox_is_empty,
    no_message_is_left,
];

pub(super) fn check(books: &Books) -> Vec<Imbalance> {
    RULES.iter().flat_map(|rule| rule(books)).collect()
}

fn who_was_told_201_has_an_order(books: &Books) -> Vec<Imbalance> {
    let owners: HashMap<_, _> = books
        .orders
        .iter()
        .map(|order| (order.id, order.customer_id.as_str()))
        .collect();
    let told = books.asked.iter().flat_map(|asked| {
        asked
            .accepted()
            .map(move |id| (id, asked.customer.as_str()))
    });
    let wrong = told.filter(|(id, customer)| owners.get(id) != Some(customer));
    wrong
        .map(|(id, customer)| {
            Imbalance::of(
                id,
                format!("{customer} was told 201, and has no such order"),
            )
        })
        .collect()
}

fn one_order_for_each_customer(books: &Books) -> Vec<Imbalance> {
    let mut first: HashMap<&str, Uuid> = HashMap::new();
    let mut twice = Vec::new();
    for order in &books.orders {
        if let Some(before) = first.insert(&order.customer_id, order.id) {
            let problem = format!(
                "{} has order {before} too, of one request",
                order.customer_id
            );
            twice.push(Imbalance::of(order.id, problem));
        }
    }
    twice
}

fn right_orders_are_not_refused(books: &Books) -> Vec<Imbalance> {
    let mut refused = Vec::new();
    for asked in &books.asked {
        for answer in &asked.answers {
            let wrong = match answer {
                // Who insists is told in the end, whatever was away meanwhile.
                Answer::Refused(..) | Answer::Nothing(_) => {
                    asked.manner == Manner::Insists
                        || matches!(answer, Answer::Refused(400..500, _))
                }
                Answer::Accepted(_) => false,
            };
            if wrong {
                let problem = format!("{} got {answer:?} for a right order", asked.customer);
                refused.push(Imbalance::general(problem));
            }
        }
    }
    refused
}

/// A fault of the world fails no order.
fn every_order_leaves_pending(books: &Books) -> Vec<Imbalance> {
    let stuck = books.orders.iter().filter_map(|order| {
        let problem = match order.status.as_str() {
            "pending" => "it is still pending",
            "failed" => "its job was given up, though nothing was wrong with it",
            _ => return None,
        };
        Some(Imbalance::of(order.id, problem))
    });
    stuck.collect()
}

/// The last `order.ended` says what the database says, and none is missing.
fn every_decision_was_told(books: &Books) -> Vec<Imbalance> {
    let wrong = decided(books).filter_map(|order| {
        let told = books
            .ended
            .iter()
            .filter(|ended| ended.order_id == order.id);
        let told: BTreeMap<i64, &str> = told
            .map(|ended| (ended.sequence, ended.status.as_str()))
            .collect();
        let numbers: Vec<i64> = told.keys().copied().collect();
        let expected: Vec<i64> = (1..=order.decision).collect();
        if numbers != expected {
            let problem = format!("decisions {expected:?} were made, and {numbers:?} told");
            return Some(Imbalance::of(order.id, problem));
        }
        let last = told.values().next_back().copied().unwrap_or_default();
        (last != order.status).then(|| {
            let problem = format!("it is {}, and order.ended said {last}", order.status);
            Imbalance::of(order.id, problem)
        })
    });
    wrong.collect()
}

fn one_mail_for_each_status(books: &Books) -> Vec<Imbalance> {
    let mut wrong = Vec::new();
    for order in decided(books) {
        for (status, expected) in reached(books, order) {
            let ending = ending(status);
            let about = |it: &&super::Mail| it.order_id == order.id && it.subject.ends_with(ending);
            let mut mails: Vec<_> = books.mails.iter().filter(about).collect();
            let all = mails.len();
            if books.may_mail_twice {
                mails.dedup_by_key(|mail| &mail.message_id);
            }
            if mails.len() != expected {
                let problem = format!("{all} mails say that it {ending}, instead of {expected}");
                wrong.push(Imbalance::of(order.id, problem));
            }
        }
    }
    wrong
}

/// How many mails there should be about each status: one if it was told, none otherwise.
fn reached<'a>(
    books: &'a Books,
    order: &'a Order,
) -> impl Iterator<Item = (&'static str, usize)> + 'a {
    const STATUSES: [&str; 4] = ["confirmed", "rejected", "in_review", "failed"];
    STATUSES.into_iter().map(|status| {
        let told = |it: &super::Ended| it.order_id == order.id && it.status == status;
        (status, usize::from(books.ended.iter().any(told)))
    })
}

/// How the subject ends of a mail about that status.
fn ending(status: &str) -> &'static str {
    match status {
        "confirmed" => "is confirmed",
        "rejected" => "was rejected",
        "in_review" => "is in review",
        _ => "failed",
    }
}

fn the_email_service_knows_what_it_sent(books: &Books) -> Vec<Imbalance> {
    let mut wrong = Vec::new();
    for order in decided(books) {
        for (status, expected) in reached(books, order) {
            let row = |it: &&super::Written| it.order_id == order.id && it.status == status;
            let rows = books.written.iter().filter(row);
            let sent = rows.filter(|row| row.sent).count();
            if sent != expected {
                let problem = format!("{sent} rows say that a mail about {status} was sent");
                wrong.push(Imbalance::of(order.id, problem));
            }
        }
    }
    wrong
}

fn inventory_follows_the_last_decision(books: &Books) -> Vec<Imbalance> {
    let wrong = decided(books).filter_map(|order| {
        let own = books.holdings.iter().find(|it| it.order_id == order.id);
        let followed = own.map_or(0, |holding| holding.decision);
        let state = own.and_then(|holding| holding.status.as_deref());
        let expected = match order.status.as_str() {
            "confirmed" => Some("kept"),
            "rejected" => Some("released"),
            "in_review" => Some("held"),
            _ => state,
        };
        (followed != order.decision || state != expected).then(|| {
            let Order { status, decision, .. } = order;
            let problem = format!(
                "it is {status} by decision {decision}, and the inventory has {state:?} by {followed}"
            );
            Imbalance::of(order.id, problem)
        })
    });
    wrong.collect()
}

/// All that it wants is kept for a confirmed order and held for one in review, and nothing for a rejected one.
fn stock_follows_the_status(books: &Books) -> Vec<Imbalance> {
    let mut wrong = Vec::new();
    for order in decided(books) {
        let of = |status: &str| -> BTreeMap<String, i64> {
            let own = books.reservations.iter();
            own.filter(|it| it.order_id == order.id && it.status == status)
                .map(|it| (it.item_id.clone(), it.quantity))
                .collect()
        };
        let (held, kept) = (of("held"), of("kept"));
        let (all, nothing) = (order.items.clone(), BTreeMap::new());
        let expected = match order.status.as_str() {
            "confirmed" => (nothing, all),
            "rejected" => (nothing.clone(), nothing),
            // Perhaps it was given up before anything was held.
            "failed" => continue,
            _ => (all, nothing),
        };
        if (&held, &kept) != (&expected.0, &expected.1) {
            let status = &order.status;
            let problem = format!("it is {status}, with {held:?} held and {kept:?} kept");
            wrong.push(Imbalance::of(order.id, problem));
        }
    }
    wrong
}

/// For each item: initial = available + held + kept, and what is held and kept is held and kept for orders.
fn no_piece_is_lost(books: &Books) -> Vec<Imbalance> {
    let mut wrong = Vec::new();
    for stock in &books.stock {
        let item = &stock.item_id;
        let of = |status: &str| -> i64 {
            let all = books.reservations.iter();
            all.filter(|it| it.item_id == *item && it.status == status)
                .map(|it| it.quantity)
                .sum()
        };
        let all = stock.available + stock.held + stock.kept;
        let initial = books.initial.get(item).copied().unwrap_or_default();
        if all != initial {
            wrong.push(Imbalance::general(format!(
                "of {initial} {item}, {all} are left"
            )));
        }
        let (held, kept) = (of("held"), of("kept"));
        if (held, kept) != (stock.held, stock.kept) {
            wrong.push(Imbalance::general(format!(
                "orders hold {held} and keep {kept} {item}, and its row says {} and {}",
                stock.held, stock.kept
            )));
        }
    }
    wrong
}

fn the_outbox_is_empty(books: &Books) -> Vec<Imbalance> {
    let left = books.outbox.iter().map(|row| {
        let problem = format!("{} waits in the outbox", row.topic);
        match row.key.parse() {
            Ok(order) => Imbalance::of(order, problem),
            Err(_) => Imbalance::general(format!("{problem}, with the key {:?}", row.key)),
        }
    });
    left.collect()
}

fn no_message_is_left(books: &Books) -> Vec<Imbalance> {
    let left = books.waiting.iter().filter(|it| it.messages != 0);
    left.map(|it| {
        let kind = if it.dead { "dead letters" } else { "messages" };
        Imbalance::general(format!("{} {kind} in {}", it.messages, it.place))
    })
    .collect()
}

fn decided(books: &Books) -> impl Iterator<Item = &Order> {
    books
        .orders
        .iter()
        .filter(|order| order.status != "pending")
}
