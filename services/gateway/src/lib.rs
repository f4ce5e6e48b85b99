//! The gateway: the public HTTP API, and the place where a trace begins.

mod clients;
pub mod config;
mod http;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::Readiness;

use crate::clients::{InventoryClient, OrdersClient};
use crate::config::Config;

/// How long requests in hand may take after the gateway was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// The services behind the gateway.
#[derive(Debug, Clone)]
struct Services {
    orders: OrdersClient,
    inventory: InventoryClient,
}

/// Runs the gateway on `listener` until `shutdown`.
///
/// It does not wait for the services behind it: while one is away, its callers are told so.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let services = Services {
        orders: OrdersClient::new(&config)?,
        inventory: InventoryClient::new(&config)?,
    };
    let readiness = readiness(services.clone());
    let router = http::router(services, config.trust(), readiness);
    web::serve(listener, router, shutdown, DRAIN).await
}

fn readiness(services: Services) -> Readiness {
    let Services { orders, inventory } = services;
    Readiness::new()
        .check("orders", move || {
            let orders = orders.clone();
            async move { orders.check().await }
        })
        .check("inventory", move || {
            let inventory = inventory.clone();
            async move { inventory.check().await }
        })
}
