//! The gateway: the public HTTP API, in front of orders and inventory.

mod clients;
pub mod config;
mod http;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::{Dependency, Probe, Readiness, wait_for};

use crate::clients::{InventoryClient, OrdersClient};
use crate::config::Config;

/// Runs the service on `listener` until `shutdown`.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let health = Behind::new(&config)?;
    let Some(started) = shutdown.run_until_cancelled(health.wait(&config)).await else {
        return Ok(());
    };
    started?;
    let client = telemetry::http::client(config.timeout(), &config.faults)?;
    let orders = OrdersClient::new(client.clone(), config.orders_url.clone());
    let inventory = InventoryClient::new(client, config.inventory_url.clone());
    let router = http::router(orders, inventory, health.readiness(), config.trust());
    web::serve(listener, router, shutdown, web::DRAIN).await
}

/// The health of the services behind the gateway.
struct Behind {
    orders: Probe,
    ready_orders: Probe,
    inventory: Probe,
}

impl Behind {
    fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            orders: Probe::healthz(&config.orders_url)?,
            ready_orders: Probe::readyz(&config.orders_url)?,
            inventory: Probe::readyz(&config.inventory_url)?,
        })
    }

    /// Waits until orders has been up once; later it may come and go, and `/readyz` tells.
    async fn wait(&self, config: &Config) -> anyhow::Result<()> {
        let orders = Dependency::new("orders", config.orders_url.as_str(), "ORDERS_URL");
        wait_for(orders, config.startup, || self.orders.clone().succeeds()).await
    }

    /// Without orders there is nothing to do here. While orders lives it has its own answer to what it lacks, and orders are
    /// taken without inventory.
    fn readiness(self) -> Readiness {
        Readiness::new()
            .check("orders", self.orders, Probe::succeeds)
            .degraded_without(
                "what orders needs",
                self.ready_orders,
                Probe::does_not_object,
            )
            .degraded_without("inventory", self.inventory, Probe::succeeds)
    }
}
