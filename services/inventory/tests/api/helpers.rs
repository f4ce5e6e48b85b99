//! The service itself on a free port, with a database and a Kafka of its own.

use std::net::SocketAddr;

use clap::Parser;
use domain::OrderId;
use inventory::config::Config;
use postgres_server::testing;
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use web::testing::until;

use crate::kafka::Kafka;

pub(crate) struct TestApp {
    pub(crate) client: Client,
    pub(crate) kafka: Kafka,
    pub(crate) address: SocketAddr,
    pub(crate) database: PgPool,
    shutdown: CancellationToken,
    service: JoinSet<anyhow::Result<()>>,
}

impl TestApp {
    pub(crate) async fn spawn() -> Self {
        Self::spawn_on(&testing::database().await).await
    }

    pub(crate) async fn spawn_on(database: &str) -> Self {
        Self::spawn_in(database, Kafka::start(), &[]).await
    }

    pub(crate) async fn spawn_with(setting: &str) -> Self {
        Self::spawn_in(&testing::database().await, Kafka::start(), &[setting]).await
    }

    pub(crate) async fn spawn_beside(kafka: Kafka) -> Self {
        Self::spawn_in(&testing::database().await, kafka, &[]).await
    }

    async fn spawn_in(database: &str, kafka: Kafka, settings: &[&str]) -> Self {
        let brokers = kafka.brokers();
        let always = [
            "inventory",
            "--database-url",
            database,
            "--kafka-brokers",
            &brokers,
            "--messaging-max-attempts=2",
            "--messaging-retry-delay-ms=1",
        ];
        let config = Config::parse_from(always.iter().chain(settings));
        // Requests that come before the service is ready wait in the listener's queue.
        let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let mut service = JoinSet::new();
        service.spawn(inventory::run(config, listener, shutdown.clone()));
        Self {
            client: Client::builder().build().unwrap(),
            kafka,
            address,
            database: PgPool::connect_lazy(database).unwrap(),
            shutdown,
            service,
        }
    }

    /// Stops the service as a signal would.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.service.join_next().await.unwrap().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.client.get(self.url(path))).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.client.post(self.url(path)).json(body)).await
    }

    /// Asks to hold that many pieces of each item.
    pub(crate) async fn hold(&self, order: OrderId, items: &[(&str, i64)]) -> (u16, Value) {
        self.post("/holds", &hold(order, items)).await
    }

    /// How many pieces are available, held and kept.
    pub(crate) async fn pieces(&self, item: &str) -> [i64; 3] {
        let (status, item) = self.get(&format!("/stock/{item}")).await;
        assert_eq!(status, 200);
        ["available", "held", "kept"].map(|field| item[field].as_i64().unwrap())
    }

    /// Waits until there are so many pieces.
    pub(crate) async fn until_pieces(&self, item: &str, expected: [i64; 3]) {
        until(async || (self.pieces(item).await == expected).then_some(())).await;
    }

    /// For each item: nothing is lost, and what is held and kept is held and kept for orders.
    pub(crate) async fn assert_balance(&self) {
        let sql = "
            select item_id, available + held + kept, held, kept,
                coalesce(sum(quantity) filter (where status = 'held'), 0)::bigint,
                coalesce(sum(quantity) filter (where status = 'kept'), 0)::bigint
            from stock left join reservations using (item_id) group by item_id";
        let items = sqlx::query_as(sql).fetch_all(&self.database).await.unwrap();
        for (item, all, held, kept, of_holding, of_keeping) in items {
            let item: String = item;
            let initial: i64 = if item == "ITEM-010" { 5 } else { 1_000_000 };
            let told: [i64; 3] = [all, held, kept];
            assert_eq!(told, [initial, of_holding, of_keeping], "{item}");
        }
    }

    /// Waits until so many orders have had a decision.
    pub(crate) async fn until_followed(&self, orders: i64) {
        // It answers when its tables are there.
        assert_eq!(self.get("/stock").await.0, 200);
        let sql = "select count(*) from holdings where decision > 0";
        until(async || (self.count(sql).await == orders).then_some(())).await;
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let count = sqlx::query_scalar(sql).fetch_one(&self.database);
        count.await.unwrap()
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

/// The body of a wish to hold something.
pub(crate) fn hold(order: OrderId, items: &[(&str, i64)]) -> Value {
    let items = items.iter();
    let items: Vec<_> = items
        .map(|(item, quantity)| json!({"item_id": item, "quantity": quantity}))
        .collect();
    json!({"order_id": order, "items": items})
}

/// What is told about an order about which it was decided.
pub(crate) fn ended(order: OrderId, status: &str, sequence: i64) -> Value {
    json!({
        "order_id": order, "customer_id": "jane", "status": status,
        "category": null, "reason": null, "sequence": sequence,
    })
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}
