//! A pool as a service has it, on a database of its own.

use clap::Parser;
use postgres_server::testing;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use web::{DatabaseArgs, StartupArgs};

#[derive(Debug, Parser)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) startup: StartupArgs,
}

pub(crate) fn settings(url: &str, connections: u32) -> Settings {
    let connections = connections.to_string();
    let arguments = ["test", "--database-url", url, "--database-max-connections"];
    Settings::parse_from(arguments.into_iter().chain([connections.as_str()]))
}

/// A pool of so many connections, and the address of its database, in which there is a table `written`.
pub(crate) async fn pool(connections: u32) -> (PgPool, String) {
    let url = testing::database().await;
    let pool = connect(&settings(&url, connections)).await.unwrap();
    sqlx::query("create table written (number integer)")
        .execute(&pool)
        .await
        .unwrap();
    (pool, url)
}

pub(crate) async fn connect(settings: &Settings) -> anyhow::Result<PgPool> {
    let none = Migrator::DEFAULT;
    settings.database.connect(settings.startup, &none).await
}
