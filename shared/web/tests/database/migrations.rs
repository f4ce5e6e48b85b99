use std::borrow::Cow;
use std::time::Duration;

use postgres_server::testing;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqlSafeStr};

use crate::helpers::settings;

fn migrator(sql: String) -> Migrator {
    let migration = Migration::new(
        1,
        Cow::Borrowed("test"),
        MigrationType::Simple,
        AssertSqlSafe(sql).into_sql_str(),
        false,
    );
    Migrator::with_migrations(vec![migration])
}

/// Those of the database are shorter than the migration.
#[tokio::test]
async fn run_without_time_outs() {
    let url = testing::database().await;
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let name: String = sqlx::query_scalar("select current_database()")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    let limit = format!("alter database {name} set statement_timeout = '50ms'");
    sqlx::raw_sql(AssertSqlSafe(limit))
        .execute(&mut admin)
        .await
        .unwrap();
    let slow = migrator("create table slow (); select pg_sleep(0.3)".to_owned());
    let settings = settings(&url, 2);
    let connect = settings.database.connect(settings.startup, &slow);
    connect.await.unwrap();
}

#[tokio::test]
async fn of_processes_that_start_together_are_run_once() {
    let url = testing::database().await;
    let migrations = migrator("create table once (); select pg_sleep(0.2)".to_owned());
    let settings = settings(&url, 2);
    let start = || settings.database.connect(settings.startup, &migrations);
    let (one, two, three) = tokio::join!(start(), start(), start());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
}

#[tokio::test]
async fn are_run_again_when_the_server_ended_their_connection() {
    let url = testing::database().await;
    // The first time it ends itself, as a server does that stops.
    let sql = "select pg_terminate_backend(pg_backend_pid()) from pg_stat_database \
               where datname = current_database() and sessions < 2"
        .to_owned();
    let migrations = migrator(sql);
    let settings = settings(&url, 2);
    let connect = settings.database.connect(settings.startup, &migrations);
    let pool = tokio::time::timeout(Duration::from_secs(20), connect).await;
    assert!(pool.unwrap().is_ok());
}

#[tokio::test]
async fn that_are_wrong_end_the_start_at_once() {
    let url = testing::database().await;
    let wrong = migrator("create tables".to_owned());
    let settings = settings(&url, 2);
    let connect = settings.database.connect(settings.startup, &wrong);
    let error = format!("{:#}", connect.await.unwrap_err());
    assert!(error.starts_with("migrating "), "{error}");
}
