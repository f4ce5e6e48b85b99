//! The service itself on a free port, with a database, a Kafka and a Pub/Sub of its own.

use std::net::SocketAddr;

use clap::Parser;
use orders::config::Config;
use postgres_server::testing;
use pubsub::testing::PubSub;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sqlx::PgPool;
use telemetry::testing::Recorder;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use web::testing::until;

use crate::door::Door;
use crate::kafka::Kafka;

/// Everything around the service.
pub(crate) struct TestApp {
    pub(crate) recorder: Recorder,
    pub(crate) service: Service,
    pub(crate) kafka: Kafka,
    pub(crate) pubsub: PubSub,
    pub(crate) database: PgPool,
    database_url: String,
    args: &'static [&'static str],
}

/// A running service; dropping it stops it.
pub(crate) struct Service {
    client: Client,
    pub(crate) address: SocketAddr,
    _shutdown: DropGuard,
    _tasks: JoinSet<anyhow::Result<()>>,
}

/// What the service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `null` when there is none.
    pub(crate) body: Value,
}

impl TestApp {
    pub(crate) async fn spawn() -> Self {
        Self::spawn_with(&[]).await
    }

    /// With these arguments beside those that say where everything is.
    pub(crate) async fn spawn_with(args: &'static [&'static str]) -> Self {
        Self::spawn_on(&testing::database().await, args).await
    }

    /// On a database that is there already.
    pub(crate) async fn spawn_on(database_url: &str, args: &'static [&'static str]) -> Self {
        let recorder = Recorder::start();
        let kafka = Kafka::start();
        let pubsub = PubSub::start("order.classified", "orders").await;
        Self {
            recorder,
            service: Service::spawn(database_url, &kafka, &pubsub.host, args).await,
            database: PgPool::connect_lazy(database_url).unwrap(),
            database_url: database_url.to_owned(),
            kafka,
            pubsub,
            args,
        }
    }

    /// On brokers that are away, until they are told to be there.
    pub(crate) async fn spawn_alone() -> (Self, Door) {
        let recorder = Recorder::start();
        let database_url = testing::database().await;
        let kafka = Kafka::start();
        kafka.down();
        let pubsub = PubSub::start("order.classified", "orders").await;
        let door = Door::closed(&pubsub.host).await;
        let app = Self {
            recorder,
            service: Service::spawn(&database_url, &kafka, &door.host, &[]).await,
            database: PgPool::connect_lazy(&database_url).unwrap(),
            database_url,
            kafka,
            pubsub,
            args: &[],
        };
        (app, door)
    }

    /// Another instance of the service, beside the first.
    pub(crate) async fn second(&self) -> Service {
        Service::spawn(
            &self.database_url,
            &self.kafka,
            &self.pubsub.host,
            self.args,
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.service.get(path).await
    }

    pub(crate) async fn post(&self, order: &Value) -> Answer {
        self.service.post(order).await
    }

    /// Places an order and returns its id.
    pub(crate) async fn place(&self) -> String {
        let answer = self.post(&order()).await;
        assert_eq!(answer.status, 201);
        answer.body["order_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn change_status(&self, id: &str, body: &Value) -> Answer {
        let path = format!("/orders/{id}/status");
        self.service
            .send(self.service.client.patch(self.url(&path)).json(body))
            .await
    }

    /// Tells what was found out about the order.
    pub(crate) async fn found(&self, id: &str, finding: &str) {
        self.pubsub.publish(&[&classified(id, finding)]).await;
    }

    /// Waits until the order has that status, and returns it.
    pub(crate) async fn until_status(&self, id: &str, status: &str) -> Value {
        until(async || {
            let order = self.get(&format!("/orders/{id}")).await.body;
            (order["status"] == status).then_some(order)
        })
        .await
    }

    pub(crate) async fn outbox_rows(&self) -> i64 {
        let count = sqlx::query_scalar("select count(*) from outbox");
        count.fetch_one(&self.database).await.unwrap()
    }

    pub(crate) async fn until_the_outbox_is_empty(&self) {
        until(async || (self.outbox_rows().await == 0).then_some(())).await;
    }

    /// Runs these statements in the service's database.
    pub(crate) async fn sql(&self, statements: &'static str) {
        // It answers when its tables are there.
        self.get("/healthz").await;
        let executed = sqlx::raw_sql(statements).execute(&self.database).await;
        executed.unwrap();
    }

    /// Takes the database away for good, and ends what is connected to it.
    pub(crate) async fn lose_database(&self) {
        let options = self.database.connect_options();
        let drop = format!(
            "drop database {} with (force)",
            options.get_database().unwrap()
        );
        let server = PgPool::connect_lazy_with(options.as_ref().clone().database("postgres"));
        let dropped = sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&server);
        dropped.await.unwrap();
    }

    fn url(&self, path: &str) -> String {
        self.service.url(path)
    }
}

impl Service {
    async fn spawn(database_url: &str, kafka: &Kafka, pubsub_host: &str, args: &[&str]) -> Self {
        let brokers = kafka.brokers();
        let places = [
            "orders",
            "--database-url",
            database_url,
            "--kafka-brokers",
            &brokers,
            "--pubsub-emulator-host",
            pubsub_host,
            "--messaging-max-attempts=2",
            "--messaging-retry-delay-ms=10",
        ];
        let config = Config::parse_from(places.iter().chain(args));
        // Requests that come before the service is ready wait in the listener's queue.
        let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(orders::run(config, listener, shutdown.clone()));
        Self {
            client: Client::builder().build().unwrap(),
            address,
            _shutdown: shutdown.drop_guard(),
            _tasks: tasks,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(self.url(path))).await
    }

    pub(crate) async fn post(&self, order: &Value) -> Answer {
        self.send(self.to_orders().json(order)).await
    }

    /// A request to place an order, without body and content type.
    pub(crate) fn to_orders(&self) -> RequestBuilder {
        self.client.post(self.url("/orders"))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap()
        };
        Answer {
            status,
            headers,
            body,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Answer {
    /// Trace id and span id of the `traceresponse` header.
    pub(crate) fn trace(&self) -> (String, String) {
        let header = self.headers["traceresponse"].to_str().unwrap();
        trace(header)
    }

    /// The JSON pointers of what is wrong.
    pub(crate) fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().unwrap().iter();
        errors
            .map(|error| error["pointer"].as_str().unwrap())
            .collect()
    }
}

/// Trace id and span id of a `traceparent` or `traceresponse`.
pub(crate) fn trace(header: &str) -> (String, String) {
    let mut parts = header.split('-').skip(1).map(str::to_owned);
    (parts.next().unwrap(), parts.next().unwrap())
}

/// An order that can be placed.
pub(crate) fn order() -> Value {
    json!({
        "customer_id": "vip-ada",
        "items": [
            {"item_id": "ITEM-001", "quantity": 2, "price": 2999},
            {"item_id": "ITEM-005", "quantity": 1, "price": 599},
        ],
        "note": "ring twice",
    })
}

/// What was found out about an order of [`order`].
pub(crate) fn classified(order_id: &str, finding: &str) -> Value {
    json!({"order_id": order_id, "customer_id": "vip-ada", "finding": finding, "category": "gift"})
}
