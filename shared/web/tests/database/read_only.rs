//! A database that answers and takes no writes: a standby, or one whose administrator said so.

use axum::body::Body;
use http::Request;
use sqlx::{Connection as _, PgConnection};
use tower::ServiceExt as _;
use web::{Problem, Readiness};

use crate::helpers::{connect, settings};

#[tokio::test]
async fn a_service_whose_database_takes_no_writes_is_not_ready_and_its_callers_may_come_again() {
    let url = postgres_server::testing::database().await;
    let pool = connect(&settings(&url, 2)).await.unwrap();
    let health = web::health(Readiness::new().database(pool.clone()));
    let ready = async || {
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        health.clone().oneshot(request).await.unwrap().status()
    };
    assert_eq!(ready().await, 200);

    let mut other = PgConnection::connect(&url).await.unwrap();
    let name: String = sqlx::query_scalar("select current_database()")
        .fetch_one(&mut other)
        .await
        .unwrap();
    let close = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    let read_only =
        format!("alter database \"{name}\" set default_transaction_read_only = on; {close}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(read_only))
        .execute(&mut other)
        .await
        .unwrap();
    assert_eq!(ready().await, 503);
    let refused = sqlx::query("create table written (number integer)")
        .execute(&pool)
        .await
        .unwrap_err();
    assert_eq!(Problem::database(refused).status(), 503);
}
