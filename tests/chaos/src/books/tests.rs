//! The books of three orders that balance, and what is found when one entry is changed.
//!
//! The databases are real, with the services' own migrations.

use postgres_server::testing;
use sqlx::PgPool;
use uuid::Uuid;

use super::{Books, Databases, Ended, Mail, Waiting};
use crate::load::{Answer, Asked, Manner};

const CONFIRMED: Uuid = Uuid::from_u128(1);
const REJECTED: Uuid = Uuid::from_u128(2);
const IN_REVIEW: Uuid = Uuid::from_u128(3);
const ORDERS: [(Uuid, &str, &str); 3] = [
    (CONFIRMED, "confirmed", "is confirmed"),
    (REJECTED, "rejected", "was rejected"),
    (IN_REVIEW, "in_review", "is in review"),
];

/// Three databases and what the brokers and the mailbox say, all about the same three orders.
struct Ledger {
    orders: PgPool,
    inventory: PgPool,
    email: PgPool,
    databases: Databases,
    books: Books,
}

impl Ledger {
    async fn balanced() -> Self {
        let [orders, inventory, email] = [
            testing::database().await,
            testing::database().await,
            testing::database().await,
        ];
        let databases = Databases::new(&orders, &inventory, &email).unwrap();
        let connect = async |url: &str| PgPool::connect(url).await.unwrap();
        let mut ledger = Self {
            orders: connect(&orders).await,
            inventory: connect(&inventory).await,
            email: connect(&email).await,
            databases,
            books: Books::default(),
        };
        ledger.migrate().await;
        ledger.books.initial = ledger.databases.pieces().await.unwrap();
        for (id, status, ending) in ORDERS {
            ledger.write(id, status, ending).await;
        }
        ledger
    }

    async fn migrate(&self) {
        let orders = sqlx::migrate!("../../services/orders/migrations");
        orders.run(&self.orders).await.unwrap();
        let inventory = sqlx::migrate!("../../services/inventory/migrations");
        inventory.run(&self.inventory).await.unwrap();
        let email = sqlx::migrate!("../../services/email/migrations");
        email.run(&self.email).await.unwrap();
    }

    /// An order of two pieces of an item.
    async fn write(&mut self, id: Uuid, status: &str, ending: &str) {
        let customer = format!("chaos-{status}");
        let order = format!(
            "insert into orders (id, customer_id, note, total, status, decision, resend_at)
                values ('{id}', '{customer}', '', 0, '{status}', 1, now());
            insert into order_items (order_id, line, item_id, quantity, price)
                values ('{id}', 0, 'ITEM-001', 2, 0)"
        );
        run(&self.orders, &order).await;
        let state = match status {
            "confirmed" => "kept",
            "rejected" => "released",
            _ => "held",
        };
        let holding = format!(
            "insert into holdings (order_id, status, decision) values ('{id}', '{state}', 1)"
        );
        run(&self.inventory, &holding).await;
        if status != "rejected" {
            let stock = format!(
                "insert into reservations (order_id, item_id, quantity, status)
                    values ('{id}', 'ITEM-001', 2, '{state}');
                update stock set available = available - 2, {state} = {state} + 2
                    where item_id = 'ITEM-001'"
            );
            run(&self.inventory, &stock).await;
        }
        let mail = format!(
            "insert into emails (order_id, status, recipient, subject, message_id, sent_at)
                values ('{id}', '{status}', '', '', '', now())"
        );
        run(&self.email, &mail).await;
        self.books.mails.push(Mail {
            order_id: id,
            subject: format!("Your order {id} {ending}"),
            message_id: format!("{id}.{status}@example.com"),
        });
        self.books.ended.push(Ended {
            order_id: id,
            status: status.to_owned(),
            sequence: 1,
        });
        self.books.asked.push(Asked {
            customer,
            manner: Manner::Patient,
            answers: vec![Answer::Accepted(id)],
        });
    }

    /// What does not balance, in words, after the databases were read again.
    async fn imbalances(&mut self) -> Vec<String> {
        let read = self.databases.read("chaos-", &mut self.books).await;
        read.unwrap();
        let imbalances = self.books.imbalances();
        imbalances.iter().map(ToString::to_string).collect()
    }

    /// One imbalance is found, about this order, in words that contain these.
    async fn finds(&mut self, order: Uuid, words: &str) {
        let found = self.imbalances().await;
        let first = found.first().expect("something does not balance");
        let named = first.starts_with(&format!("order {order}: "));
        assert!(named && first.contains(words), "{found:#?}");
    }
}

async fn run(database: &PgPool, statements: &str) {
    let statements = sqlx::AssertSqlSafe(statements.to_owned());
    sqlx::raw_sql(statements).execute(database).await.unwrap();
}

#[tokio::test]
async fn books_that_agree_balance() {
    let mut ledger = Ledger::balanced().await;
    assert_eq!(ledger.imbalances().await, [""; 0]);
}

#[tokio::test]
async fn an_order_that_was_accepted_and_is_gone_is_named() {
    let mut ledger = Ledger::balanced().await;
    let delete = format!(
        "delete from order_items where order_id = '{CONFIRMED}'; delete from orders where id = '{CONFIRMED}'"
    );
    run(&ledger.orders, &delete).await;
    ledger.finds(CONFIRMED, "was told 201").await;
}

#[tokio::test]
async fn an_order_that_is_pending_is_named() {
    let mut ledger = Ledger::balanced().await;
    let update = format!("update orders set status = 'pending' where id = '{REJECTED}'");
    run(&ledger.orders, &update).await;
    ledger.finds(REJECTED, "still pending").await;
}

#[tokio::test]
async fn a_second_order_of_one_request_is_named() {
    let mut ledger = Ledger::balanced().await;
    let update = "update orders set customer_id = 'chaos-confirmed'";
    run(&ledger.orders, update).await;
    ledger.books.asked.truncate(1);
    let found = ledger.imbalances().await;
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|it| it.contains("of one request")));
}

#[tokio::test]
async fn a_status_that_is_not_what_was_told_is_named() {
    let mut ledger = Ledger::balanced().await;
    let update = format!("update orders set status = 'rejected' where id = '{CONFIRMED}'");
    run(&ledger.orders, &update).await;
    ledger.finds(CONFIRMED, "order.ended said confirmed").await;
}

#[tokio::test]
async fn a_decision_that_was_not_told_is_named() {
    let mut ledger = Ledger::balanced().await;
    ledger.books.ended.pop();
    ledger
        .finds(IN_REVIEW, "decisions [1] were made, and [] told")
        .await;
}

#[tokio::test]
async fn a_mail_that_is_missing_or_came_twice_is_named() {
    let mut ledger = Ledger::balanced().await;
    let mail = ledger.books.mails.pop().unwrap();
    ledger
        .finds(IN_REVIEW, "0 mails say that it is in review")
        .await;
    ledger.books.mails.extend([mail.clone(), mail]);
    ledger
        .finds(IN_REVIEW, "2 mails say that it is in review")
        .await;
    ledger.books.may_mail_twice = true;
    assert_eq!(ledger.imbalances().await, [""; 0]);
    let other = &mut ledger.books.mails[2].message_id;
    *other = "another@example.com".to_owned();
    ledger
        .finds(IN_REVIEW, "2 mails say that it is in review")
        .await;
}

#[tokio::test]
async fn a_mail_that_says_the_contrary_is_named() {
    let mut ledger = Ledger::balanced().await;
    let id = CONFIRMED;
    ledger.books.mails[0].subject = format!("Your order {id} was rejected");
    ledger
        .finds(CONFIRMED, "0 mails say that it is confirmed")
        .await;
}

#[tokio::test]
async fn a_mail_that_was_not_written_down_is_named() {
    let mut ledger = Ledger::balanced().await;
    let update = format!("update emails set sent_at = null where order_id = '{REJECTED}'");
    run(&ledger.email, &update).await;
    ledger
        .finds(REJECTED, "0 rows say that a mail about rejected was sent")
        .await;
}

#[tokio::test]
async fn a_decision_that_the_inventory_did_not_follow_is_named() {
    let mut ledger = Ledger::balanced().await;
    let update = format!("update holdings set decision = 0 where order_id = '{CONFIRMED}'");
    run(&ledger.inventory, &update).await;
    ledger
        .finds(CONFIRMED, "the inventory has Some(\"kept\") by 0")
        .await;
}

#[tokio::test]
async fn a_reservation_that_is_gone_is_named() {
    let mut ledger = Ledger::balanced().await;
    let delete = format!("delete from reservations where order_id = '{CONFIRMED}'");
    run(&ledger.inventory, &delete).await;
    ledger.finds(CONFIRMED, "{} held and {} kept").await;
}

#[tokio::test]
async fn stock_that_is_still_held_for_a_confirmed_order_is_named() {
    let mut ledger = Ledger::balanced().await;
    let update = format!("update reservations set status = 'held' where order_id = '{CONFIRMED}'");
    run(&ledger.inventory, &update).await;
    ledger.finds(CONFIRMED, "it is confirmed, with").await;
}

#[tokio::test]
async fn a_piece_that_is_gone_is_found() {
    let mut ledger = Ledger::balanced().await;
    let update = "update stock set available = available - 1 where item_id = 'ITEM-010'";
    run(&ledger.inventory, update).await;
    assert_eq!(ledger.imbalances().await, ["of 5 ITEM-010, 4 are left"]);
}

#[tokio::test]
async fn an_event_that_waits_in_the_outbox_is_named() {
    let mut ledger = Ledger::balanced().await;
    let insert = format!(
        "insert into outbox (topic, key, payload, context) values ('order.ended', '{REJECTED}', '{{}}', '{{}}')"
    );
    run(&ledger.orders, &insert).await;
    ledger
        .finds(REJECTED, "order.ended waits in the outbox")
        .await;
}

#[tokio::test]
async fn a_message_that_is_left_and_a_dead_letter_are_found() {
    let mut ledger = Ledger::balanced().await;
    for (place, dead) in [("a queue", false), ("its dead letters", true)] {
        let place = place.to_owned();
        let messages = 1;
        ledger.books.waiting.push(Waiting {
            place,
            messages,
            dead,
        });
    }
    let found = ledger.imbalances().await;
    let expected = [
        "1 messages in a queue",
        "1 dead letters in its dead letters",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_right_order_that_was_refused_is_found_and_one_that_met_a_fault_is_not() {
    let mut ledger = Ledger::balanced().await;
    let mut asked = |manner, status| {
        ledger.books.asked.push(Asked {
            customer: "chaos-4".to_owned(),
            manner,
            answers: vec![Answer::Refused(status, String::new())],
        });
    };
    asked(Manner::Patient, 503);
    asked(Manner::Patient, 422);
    asked(Manner::Insists, 503);
    assert_eq!(ledger.imbalances().await.len(), 2);
}
