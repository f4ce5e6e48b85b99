//! The gateway itself on a free port, in front of services that a test plays.

use std::net::SocketAddr;

use axum::Router;
use clap::Parser;
use gateway::config::Config;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) struct TestApp {
    pub(crate) client: Client,
    address: SocketAddr,
    _services: JoinSet<anyhow::Result<()>>,
}

impl TestApp {
    /// A gateway before an orders and an inventory service with these routes.
    pub(crate) async fn spawn(orders: Router, inventory: Router) -> Self {
        Self::spawn_with(orders, inventory, &[]).await
    }

    pub(crate) async fn spawn_with(orders: Router, inventory: Router, args: &[&str]) -> Self {
        let mut services = JoinSet::new();
        let (orders, inventory) = (
            serve(&mut services, orders).await,
            serve(&mut services, inventory).await,
        );
        Self::in_front_of(services, orders, inventory, args).await
    }

    /// A gateway before two addresses at which nobody listens.
    pub(crate) async fn spawn_alone() -> Self {
        let (orders, inventory) = (nobody(), nobody());
        Self::in_front_of(JoinSet::new(), orders, inventory, &[]).await
    }

    async fn in_front_of(
        mut services: JoinSet<anyhow::Result<()>>,
        orders: SocketAddr,
        inventory: SocketAddr,
        args: &[&str],
    ) -> Self {
        let (orders, inventory) = (format!("http://{orders}"), format!("http://{inventory}"));
        let urls = [
            "gateway",
            "--orders-url",
            &orders,
            "--inventory-url",
            &inventory,
        ];
        let config = Config::parse_from(urls.iter().chain(args));
        let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        services.spawn(gateway::run(config, listener, CancellationToken::new()));
        Self {
            client: Client::builder().build().unwrap(),
            address,
            _services: services,
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address))
    }
}

async fn serve(services: &mut JoinSet<anyhow::Result<()>>, router: Router) -> SocketAddr {
    let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    services.spawn(async move { Ok(axum::serve(listener, router).await?) });
    address
}

/// An address that was free a moment ago.
fn nobody() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

pub(crate) fn an_order() -> Value {
    json!({"customer_id": "jane", "items": [{"item_id": "ITEM-001", "quantity": 2, "price": 2999}], "note": "ring twice"})
}

/// The status and the document of a request that went wrong.
pub(crate) async fn problem(request: RequestBuilder) -> (u16, Value) {
    let response: Response = request.send().await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    (response.status().as_u16(), response.json().await.unwrap())
}
