//! The service itself on a free port, with a database, a Pub/Sub and a mail server of its own.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use domain::OrderId;
use email::config::Config;
use postgres_server::testing;
use pubsub::testing::PubSub;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use telemetry::testing::{Recorder, attribute};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use web::testing::until;

use crate::mail_server::MailServer;
use crate::slow_smtp::SlowSmtp;

pub(crate) struct TestApp {
    pub(crate) recorder: Recorder,
    pub(crate) pubsub: PubSub,
    pub(crate) mail: MailServer,
    pub(crate) database: PgPool,
    address: SocketAddr,
    _slow: Option<SlowSmtp>,
    _shutdown: DropGuard,
    _service: JoinSet<anyhow::Result<()>>,
}

impl TestApp {
    pub(crate) async fn spawn() -> Self {
        let mail = MailServer::start().await;
        let url = mail.url();
        Self::beside(mail, &url, &[]).await
    }

    /// With another mail server than the sink.
    pub(crate) async fn spawn_beside(smtp_url: &str) -> Self {
        Self::beside(MailServer::start().await, smtp_url, &[]).await
    }

    /// With a mail server that takes that long for a mail, and few connections to the database.
    pub(crate) async fn spawn_behind_slow_smtp(delay: Duration, connections: u32) -> Self {
        let mail = MailServer::start().await;
        let slow = SlowSmtp::start(mail.host(), delay).await;
        let connections = format!("--database-max-connections={connections}");
        let app = Self::beside(mail, &slow.url, &[&connections]).await;
        Self {
            _slow: Some(slow),
            ..app
        }
    }

    async fn beside(mail: MailServer, smtp_url: &str, more: &[&str]) -> Self {
        let recorder = Recorder::start();
        let database = testing::database().await;
        let pubsub = PubSub::start("order.classified", "email").await;
        let settings = [
            "email",
            "--listen-addr=127.0.0.1:0",
            "--database-url",
            &database,
            "--smtp-url",
            smtp_url,
            "--pubsub-emulator-host",
            &pubsub.host,
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
            pubsub,
            mail,
            database: PgPool::connect_lazy(&database).unwrap(),
            address,
            _slow: None,
            _shutdown: shutdown.drop_guard(),
            _service: service,
        }
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
            let mails = self.mail.mails().await;
            (mails.len() == count).then_some(mails)
        })
        .await
    }

    /// Waits until at least `count` deliveries were processed.
    pub(crate) async fn until_processed(&self, count: usize) {
        let processed = || self.count("process order.classified");
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
pub(crate) fn classified(outcome: &str) -> Value {
    json!({"order_id": OrderId::generate(), "customer_id": "vip-ada", "outcome": outcome})
}
