//! What the version before has left, databases and messages, and the services of now on top of it.
//!
//! That version let the classifier decide: it reserved the items one by one and published an outcome, by which the email
//! service wrote its mail and orders set the status.

use std::path::Path;

use anyhow::Context as _;
use domain::{ClassificationJob, OrderClassified, OrderCreated};
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use stack::{Servers, Stack};
use uuid::Uuid;

use crate::args::Args;
use crate::books::Imbalance;
use crate::brokers::Brokers;
use crate::ground::Ground;

/// How the names of its customers begin.
const PREFIX: &str = "before-";

/// How many migrations each service had.
const MIGRATIONS: [(&str, usize); 3] = [("orders", 2), ("inventory", 2), ("email", 1)];

/// How far an order had come.
#[derive(Debug, Clone, Copy)]
enum Way {
    InTheOutbox,
    InKafka,
    InSqs,
    /// What was found out about it is in Pub/Sub, and its items are reserved if it is confirmed.
    InPubsub(&'static str),
    /// Status and mail say so, and its items are reserved if it is confirmed.
    Ended(&'static str),
}

/// `failed` is left out: here it is an imbalance.
const WAYS: [Way; 8] = [
    Way::InTheOutbox,
    Way::InKafka,
    Way::InSqs,
    Way::InPubsub("confirmed"),
    Way::InPubsub("rejected"),
    Way::Ended("confirmed"),
    Way::Ended("rejected"),
    Way::Ended("in_review"),
];

/// Of each way as many.
const ORDERS_OF_EACH: usize = 3;

/// Starts the services on what the version before has left with orders in flight, and waits until the books balance;
/// answers with what does not.
pub async fn upgrade(args: &Args) -> anyhow::Result<Vec<String>> {
    let servers = Servers::of_this_run()?;
    let mut ground = Ground::prepare_after(servers, args, leave).await?;
    let quiet = ground.wait_until_quiet(false, PREFIX, Vec::new(), args.patience());
    let quiet = quiet.await?;
    let mut wrong = quiet.imbalances;
    let (found, left) = (quiet.books.orders.len(), WAYS.len() * ORDERS_OF_EACH);
    if found != left {
        let problem = format!("of {left} orders {found} are there");
        wrong.push(Imbalance::general(problem));
    }
    ground.end().await?;
    Ok(wrong.iter().map(ToString::to_string).collect())
}

/// Puts everything where the version before would have had it.
async fn leave(stack: &Stack) -> anyhow::Result<()> {
    let world = World {
        orders: old_database(stack, MIGRATIONS[0]).await?,
        inventory: old_database(stack, MIGRATIONS[1]).await?,
        email: old_database(stack, MIGRATIONS[2]).await?,
        brokers: Brokers::of(stack)?,
        smtp: AsyncSmtpTransport::<Tokio1Executor>::from_url(stack.setting("SMTP_URL")?)?.build(),
    };
    for number in 0..ORDERS_OF_EACH {
        for (place, way) in WAYS.into_iter().enumerate() {
            let order = Order::new(format!("{PREFIX}{number}-{place}"));
            world.leave(&order, way).await?;
        }
    }
    Ok(())
}

async fn old_database(
    stack: &Stack,
    (service, migrations): (&str, usize),
) -> anyhow::Result<PgPool> {
    let url = stack.setting(&format!("{}_DATABASE_URL", service.to_uppercase()))?;
    let database = PgPool::connect(url).await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services");
    let folder = folder.join(service).join("migrations");
    let mut old = Migrator::new(folder).await?;
    old.migrations.to_mut().truncate(migrations);
    old.run(&database).await?;
    Ok(database)
}

struct Order {
    id: Uuid,
    customer: String,
}

impl Order {
    fn new(customer: String) -> Self {
        let id = Uuid::now_v7();
        Self { id, customer }
    }

    fn created(&self) -> Value {
        let mut created = self.job();
        created["created_at"] = json!("2026-11-28T10:00:00.123456Z");
        created
    }

    fn job(&self) -> Value {
        json!({
            "order_id": self.id, "customer_id": self.customer, "note": "",
            "items": [{"item_id": "ITEM-001", "quantity": 2, "price": 2999}],
        })
    }

    fn classified(&self, outcome: &str) -> Value {
        let reason = (outcome == "rejected").then_some("ITEM-001 is out of stock");
        json!({
            "order_id": self.id, "customer_id": self.customer, "outcome": outcome, "category": "standard",
            "reason": reason,
        })
    }
}

struct World {
    orders: PgPool,
    inventory: PgPool,
    email: PgPool,
    brokers: Brokers,
    smtp: AsyncSmtpTransport<Tokio1Executor>,
}

impl World {
    async fn leave(&self, order: &Order, way: Way) -> anyhow::Result<()> {
        let status = match way {
            Way::Ended(status) => status,
            _ => "pending",
        };
        self.insert_order(order, status).await?;
        match way {
            Way::InTheOutbox => self.insert_event(order).await?,
            Way::InKafka => {
                let (id, event) = (order.id.to_string(), order.created());
                self.brokers
                    .send_record(OrderCreated::TOPIC, &id, &event)
                    .await?;
            }
            Way::InSqs => {
                let queue = ClassificationJob::QUEUE;
                self.brokers.send_message(queue, &order.job()).await?;
            }
            Way::InPubsub(outcome) => {
                self.decide_stock(order, outcome).await?;
                let event = order.classified(outcome);
                self.brokers.publish(OrderClassified::TOPIC, &event).await?;
                // It had two subscribers, and the mail may be written before the status is.
                self.mail(order, outcome).await?;
            }
            Way::Ended(status) => {
                self.decide_stock(order, status).await?;
                self.mail(order, status).await?;
            }
        }
        Ok(())
    }

    async fn insert_order(&self, order: &Order, status: &str) -> anyhow::Result<()> {
        let category = match status {
            "pending" => None,
            "in_review" => Some("suspicious"),
            _ => Some("standard"),
        };
        let sql = "insert into orders (id, customer_id, note, total, status, category)
            values ($1, $2, '', 5998, $3, $4)";
        let insert = sqlx::query(sql).bind(order.id).bind(&order.customer);
        let insert = insert.bind(status).bind(category);
        insert.execute(&self.orders).await?;
        let sql = "insert into order_items (order_id, line, item_id, quantity, price)
            values ($1, 0, 'ITEM-001', 2, 2999)";
        let insert = sqlx::query(sql).bind(order.id);
        insert.execute(&self.orders).await?;
        Ok(())
    }

    async fn insert_event(&self, order: &Order) -> anyhow::Result<()> {
        let sql = "insert into outbox (key, payload, context) values ($1, $2, '{}')";
        let insert = sqlx::query(sql).bind(order.id.to_string());
        let insert = insert.bind(order.created());
        insert.execute(&self.orders).await?;
        Ok(())
    }

    async fn decide_stock(&self, order: &Order, outcome: &str) -> anyhow::Result<()> {
        let status = match outcome {
            "confirmed" => "reserved",
            "rejected" => "refused",
            _ => return Ok(()),
        };
        let sql = "with decided as (
                insert into reservations (order_id, item_id, quantity, status) values ($1, 'ITEM-001', 2, $2)
            )
            update stock set available = available - 2, reserved = reserved + 2
            where item_id = 'ITEM-001' and $2 = 'reserved'";
        let decide = sqlx::query(sql).bind(order.id).bind(status);
        decide.execute(&self.inventory).await?;
        Ok(())
    }

    /// Row and mail.
    async fn mail(&self, order: &Order, status: &str) -> anyhow::Result<()> {
        let id = order.id;
        let words = match status {
            "confirmed" => "is confirmed",
            "rejected" => "was rejected",
            _ => "is in review",
        };
        let subject = format!("Your order {id} {words}");
        let (to, message_id) = (
            format!("{}@example.com", order.customer),
            format!("<{id}@orderflow.example.com>"),
        );
        let from: Mailbox = "orders@orderflow.example.com".parse()?;
        let mail = Message::builder()
            .from(from)
            .to(to.parse()?)
            .subject(&subject)
            .message_id(Some(message_id.clone()))
            .raw_header(order_header(id)?)
            .body(String::new())?;
        self.smtp.send(mail).await.context("sending an old mail")?;
        let sql =
            "insert into emails (order_id, recipient, subject, message_id) values ($1, $2, $3, $4)";
        let insert = sqlx::query(sql).bind(id).bind(to).bind(subject);
        insert.bind(message_id).execute(&self.email).await?;
        Ok(())
    }
}

fn order_header(id: Uuid) -> anyhow::Result<lettre::message::header::HeaderValue> {
    use lettre::message::header::{HeaderName, HeaderValue};
    let name = HeaderName::new_from_ascii("X-Order-Id".to_owned())?;
    Ok(HeaderValue::new(name, id.to_string()))
}
