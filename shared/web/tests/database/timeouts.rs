use sqlx::PgPool;

use crate::helpers::{connect, pool, settings};

async fn setting(pool: &PgPool, name: &str) -> String {
    sqlx::query_scalar("select current_setting($1)")
        .bind(name)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_server_ends_what_takes_too_long() {
    let (pool, _) = pool(2).await;
    assert_eq!(setting(&pool, "statement_timeout").await, "10s");
    assert_eq!(setting(&pool, "lock_timeout").await, "5s");
    let idle = setting(&pool, "idle_in_transaction_session_timeout").await;
    assert_eq!(idle, "10s");
}

#[tokio::test]
async fn what_the_address_says_wins() {
    let (_, url) = pool(2).await;
    let join = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{join}options=-c%20statement_timeout%3D3s");
    let pool = connect(&settings(&url, 2)).await.unwrap();
    assert_eq!(setting(&pool, "statement_timeout").await, "3s");
    assert_eq!(setting(&pool, "lock_timeout").await, "5s");
}

#[tokio::test]
async fn a_caller_is_told_that_a_statement_that_was_ended_may_work_another_time() {
    let (pool, _) = pool(2).await;
    let mut connection = pool.acquire().await.unwrap();
    let slow = "set statement_timeout = '20ms'; select pg_sleep(10)";
    let ended = sqlx::raw_sql(slow).execute(&mut *connection).await;
    let problem = web::Problem::database(ended.unwrap_err());
    assert_eq!(problem.status(), 503);
}
