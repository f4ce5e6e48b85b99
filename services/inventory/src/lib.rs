//! The inventory service: what there is, and who has reserved it.

pub mod config;
mod http;
mod repository;
mod stock;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::Readiness;

use crate::config::Config;
use crate::repository::StockRepository;
use crate::stock::Stock;

/// How long requests in hand may take after the service was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs the service on `listener` until `shutdown`.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let migrations = sqlx::migrate!();
    let connect = config.database.connect(config.startup, &migrations);
    let Some(database) = shutdown.run_until_cancelled(connect).await else {
        return Ok(());
    };
    let database = database?;
    let stock = Stock::new(StockRepository::new(database.clone()));
    let router = http::router(stock, Readiness::new().database(database));
    web::serve(listener, router, shutdown, DRAIN).await
}
