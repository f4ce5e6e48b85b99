//! The gateway itself on a free port, in front of services that a test plays.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use clap::Parser;
use gateway::config::Config;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use web::Readiness;

pub(crate) struct TestApp {
    pub(crate) client: Client,
    address: SocketAddr,
    services: JoinSet<anyhow::Result<()>>,
    stop_services: CancellationToken,
    _gateway: JoinSet<anyhow::Result<()>>,
}

impl TestApp {
    /// A gateway before an orders and an inventory service with these routes.
    pub(crate) async fn spawn(orders: Router, inventory: Router) -> Self {
        Self::spawn_with(orders, inventory, &[]).await
    }

    pub(crate) async fn spawn_with(orders: Router, inventory: Router, args: &[&str]) -> Self {
        let mut services = JoinSet::new();
        let stop = CancellationToken::new();
        let orders = serve(&mut services, orders, &stop).await;
        let inventory = serve(&mut services, inventory, &stop).await;
        Self::before(&orders, &inventory, services, stop, args).await
    }

    /// A gateway that has never met an inventory service.
    pub(crate) async fn spawn_without_inventory() -> Self {
        let mut services = JoinSet::new();
        let stop = CancellationToken::new();
        let orders = serve(&mut services, Router::new(), &stop).await;
        Self::before(&orders, "http://127.0.0.1:1", services, stop, &[]).await
    }

    async fn before(
        orders: &str,
        inventory: &str,
        services: JoinSet<anyhow::Result<()>>,
        stop_services: CancellationToken,
        args: &[&str],
    ) -> Self {
        let urls = [
            "gateway",
            "--orders-url",
            orders,
            "--inventory-url",
            inventory,
        ];
        let config = Config::parse_from(urls.iter().chain(args));
        let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut gateway = JoinSet::new();
        gateway.spawn(gateway::run(config, listener, CancellationToken::new()));
        Self {
            client: Client::builder().build().unwrap(),
            address,
            services,
            stop_services,
            _gateway: gateway,
        }
    }

    /// A gateway whose services were there when it started, and are no longer.
    pub(crate) async fn spawn_alone() -> Self {
        let mut app = Self::spawn(Router::new(), Router::new()).await;
        app.get("/healthz").send().await.unwrap();
        app.stop_services.cancel();
        while let Some(stopped) = app.services.join_next().await {
            stopped.unwrap().unwrap();
        }
        app
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address))
    }
}

/// Starts a service with these routes and a `/healthz`, and says where.
async fn serve(
    services: &mut JoinSet<anyhow::Result<()>>,
    router: Router,
    stop: &CancellationToken,
) -> String {
    let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = router.merge(web::health(Readiness::new()));
    services.spawn(web::serve(
        listener,
        router,
        stop.clone(),
        Duration::from_secs(5),
    ));
    format!("http://{address}")
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
