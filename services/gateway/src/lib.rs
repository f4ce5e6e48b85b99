//! The gateway: the public HTTP API, in front of orders and inventory.

mod clients;
pub mod config;
mod http;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::Readiness;

use crate::clients::{Health, InventoryClient, OrdersClient};
use crate::config::Config;

/// How long requests in hand may take after the service was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs the service on `listener` until `shutdown`.
///
/// It waits for nobody at its start: what is behind may come and go, and `/readyz` tells.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let client = telemetry::http::client(config.timeout(), &config.faults)?;
    let orders = OrdersClient::new(client.clone(), config.orders_url.clone());
    let inventory = InventoryClient::new(client, config.inventory_url.clone());
    let router = http::router(orders, inventory, readiness(&config)?, config.trust());
    web::serve(listener, router, shutdown, DRAIN).await
}

fn readiness(config: &Config) -> anyhow::Result<Readiness> {
    let orders = Health::new(&config.orders_url)?;
    let inventory = Health::new(&config.inventory_url)?;
    Ok(Readiness::new()
        .check("orders", move || orders.clone().check())
        .check("inventory", move || inventory.clone().check()))
}
