//! The service itself on a free port, with a database of its own.

use std::net::SocketAddr;

use clap::Parser;
use domain::OrderId;
use inventory::config::Config;
use postgres_server::testing;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) struct TestApp {
    pub(crate) client: Client,
    address: SocketAddr,
    shutdown: CancellationToken,
    service: JoinSet<anyhow::Result<()>>,
}

impl TestApp {
    pub(crate) async fn spawn() -> Self {
        let database = testing::database().await;
        let config = Config::parse_from(["inventory", "--database-url", &database]);
        // Requests that come before the service is ready wait in the listener's queue.
        let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let mut service = JoinSet::new();
        service.spawn(inventory::run(config, listener, shutdown.clone()));
        Self {
            client: Client::builder().build().unwrap(),
            address,
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

    pub(crate) async fn reserve(&self, item: &str, order: OrderId, quantity: i64) -> (u16, Value) {
        let body = json!({"order_id": order, "quantity": quantity});
        self.post(&format!("/stock/{item}/reserve"), &body).await
    }

    pub(crate) async fn release(&self, item: &str, order: OrderId) -> (u16, Value) {
        let body = json!({"order_id": order});
        self.post(&format!("/stock/{item}/release"), &body).await
    }

    /// How many pieces are available, and how many reserved.
    pub(crate) async fn pieces(&self, item: &str) -> (i64, i64) {
        let (status, item) = self.get(&format!("/stock/{item}")).await;
        assert_eq!(status, 200);
        (
            item["available"].as_i64().unwrap(),
            item["reserved"].as_i64().unwrap(),
        )
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}
