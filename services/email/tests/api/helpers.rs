//! The service itself on a free port, with a database, a Kafka and a mail server of its own.

use std::net::SocketAddr;

use clap::Parser;
use domain::OrderId;
use email::config::Config;
use postgres_server::testing;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use telemetry::testing::{Recorder, attribute};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use web::testing::until;

use crate::kafka::Kafka;
use crate::mail_server::MailServer;
use crate::smtp::Smtp;

pub(crate) struct TestApp {
    pub(crate) recorder: Recorder,
    pub(crate) world: World,
    pub(crate) database: PgPool,
    address: SocketAddr,
    shutdown: DropGuard,
    service: JoinSet<anyhow::Result<()>>,
}

/// What is around the service.
pub(crate) struct World {
    pub(crate) kafka: Kafka,
    pub(crate) mail: MailServer,
    /// The address of the database.
    pub(crate) database: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self {
            kafka: Kafka::start(),
            mail: MailServer::start().await,
            database: testing::database().await,
        }
    }
}

impl TestApp {
    pub(crate) async fn spawn() -> Self {
        Self::spawn_in(World::start().await).await
    }

    pub(crate) async fn spawn_in(world: World) -> Self {
        let url = world.mail.url();
        Self::beside(world, &url, &[]).await
    }

    /// With another mail server than the sink.
    pub(crate) async fn spawn_beside(smtp: &Smtp) -> Self {
        Self::beside(World::start().await, &smtp.url(), &[]).await
    }

    /// With another mail server, and more settings.
    pub(crate) async fn spawn_with(smtp_url: &str, settings: &[&str]) -> Self {
        Self::beside(World::start().await, smtp_url, settings).await
    }

    async fn beside(world: World, smtp_url: &str, more: &[&str]) -> Self {
        let recorder = Recorder::start();
        let settings = [
            "email",
            "--listen-addr=127.0.0.1:0",
            "--database-url",
            &world.database,
            "--smtp-url",
            smtp_url,
            "--kafka-brokers",
            &world.kafka.brokers(),
            "--messaging-max-attempts=2",
            "--messaging-retry-delay-ms=1",
        ];
        let config = Config::parse_from(settings.iter().chain(more));
        let listener = web::bind(config.listen_addr).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let mut service = JoinSet::new();
        service.spawn(email::run(config, listener, shutdown.clone()));
        Self {
            recorder,
            database: PgPool::connect_lazy(&world.database).unwrap(),
            world,
            address,
            shutdown: shutdown.drop_guard(),
            service,
        }
    }

    /// Tells the service to stop, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        let other = CancellationToken::new().drop_guard();
        std::mem::replace(&mut self.shutdown, other)
            .disarm()
            .cancel();
        while let Some(stopped) = self.service.join_next().await {
            stopped.unwrap().unwrap();
        }
    }

    /// Tells that orders have ended.
    pub(crate) async fn order_ended(&self, events: &[&Value]) {
        self.world.kafka.order_ended(events).await;
    }

    /// Waits until it is ready, to begin with.
    pub(crate) async fn until_ready(&self) {
        until(async || (self.get("/readyz").await.0 == 200).then_some(())).await;
    }

    /// Waits until it is not ready, and says so in these words.
    pub(crate) async fn until_unready(&self, words: &str) {
        until(async || {
            let (status, unready) = self.get("/readyz").await;
            (status == 503 && unready["detail"] == words).then_some(())
        })
        .await;
    }

    /// The status and the body that the service answers to a probe with.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("http://{}{path}", self.address);
        let client = reqwest::Client::builder().build().unwrap();
        let response = client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Waits until there are that many mails.
    pub(crate) async fn until_mails(&self, count: usize) -> Vec<Value> {
        until(async || {
            let mails = self.world.mail.mails().await;
            (mails.len() == count).then_some(mails)
        })
        .await
    }

    /// Waits until at least `count` deliveries were processed.
    pub(crate) async fn until_processed(&self, count: usize) {
        let processed = || self.count("process order.ended");
        until(async || (processed() >= count).then_some(())).await;
    }

    /// How many spans of that name have ended.
    pub(crate) fn count(&self, span: &str) -> usize {
        let spans = self.recorder.spans().into_iter();
        spans.filter(|ended| ended.name == span).count()
    }

    /// Waits until a delivery failed because of that dependency.
    pub(crate) async fn until_failed(&self, dependency: &str) {
        until(async || {
            let spans = self.recorder.spans().into_iter();
            let mut failed =
                spans.filter_map(|span| attribute(&span, "orderflow.messaging.failed_dependency"));
            failed.any(|name| name == dependency).then_some(())
        })
        .await;
    }

    /// Whether the mail about that event is known as sent; not while the tables are still to come.
    pub(crate) async fn is_sent(&self, event: &Value) -> bool {
        let sql = "select count(*) from emails
            where order_id::text = $1 and status = $2 and sent_at is not null and claimed_until is null";
        let count = sqlx::query_scalar(sql)
            .bind(event["order_id"].as_str())
            .bind(event["status"].as_str())
            .fetch_one(&self.database);
        count.await.is_ok_and(|count: i64| count == 1)
    }

    /// Waits until the mail about that event is known as sent.
    pub(crate) async fn until_sent(&self, event: &Value) {
        until(async || self.is_sent(event).await.then_some(())).await;
    }

    /// Ends all connections to the database, and lets nobody in until it is given back.
    pub(crate) async fn take_database(&self) {
        let name = self.allow_connections(false).await;
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
        let server = self.server();
        let ended = sqlx::query(end).bind(name).execute(&server);
        ended.await.unwrap();
    }

    pub(crate) async fn give_database_back(&self) {
        self.allow_connections(true).await;
    }

    async fn allow_connections(&self, allow: bool) -> String {
        let options = self.database.connect_options();
        let name = options.get_database().unwrap().to_owned();
        let alter = format!("alter database {name} with allow_connections {allow}");
        let server = self.server();
        let altered = sqlx::raw_sql(AssertSqlSafe(alter)).execute(&server);
        altered.await.unwrap();
        name
    }

    /// The server that the database is on.
    fn server(&self) -> PgPool {
        let options = self.database.connect_options().as_ref().clone();
        PgPool::connect_lazy_with(options.database("postgres"))
    }
}

/// What is told about an order that has ended.
pub(crate) fn ended(status: &str) -> Value {
    ended_for("vip-ada", status)
}

/// What is told about another customer's order.
pub(crate) fn ended_for(customer: &str, status: &str) -> Value {
    json!({
        "order_id": OrderId::generate(), "customer_id": customer, "status": status,
        "category": null, "reason": null, "sequence": 1,
    })
}
