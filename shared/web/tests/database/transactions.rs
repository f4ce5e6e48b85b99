use std::pin::pin;

use futures::poll;
use sqlx::{Connection, PgConnection};

use crate::helpers::pool;

/// A `begin` that is polled so many times, and then dropped as the request is of a client that hangs up.
#[tokio::test]
async fn what_is_written_after_a_cancelled_begin_is_committed() {
    let (pool, url) = pool(2).await;
    let mut expected = Vec::new();
    for number in 0..300 {
        {
            let mut begin = pin!(pool.begin());
            for _ in 0..=number % 12 {
                if poll!(begin.as_mut()).is_ready() {
                    break;
                }
                // The answer may come meanwhile, or not.
                tokio::task::yield_now().await;
            }
        }
        sqlx::query("insert into written values ($1)")
            .bind(number)
            .execute(&pool)
            .await
            .unwrap();
        expected.push(number);
    }
    // Whoever looks from outside sees what was committed, and nothing else.
    let mut outside = PgConnection::connect(&url).await.unwrap();
    let written: Vec<i32> = sqlx::query_scalar("select number from written order by number")
        .fetch_all(&mut outside)
        .await
        .unwrap();
    assert_eq!(written, expected);
}

#[tokio::test]
async fn hands_out_no_connection_inside_of_a_transaction_whoever_began_it() {
    let (pool, _) = pool(2).await;
    for begun in ["begin", "begin; select 1 / 0"] {
        let mut connection = pool.acquire().await.unwrap();
        // sqlx does not know of it; the second one has failed, too.
        sqlx::raw_sql(begun).execute(&mut *connection).await.ok();
        drop(connection);
        for _ in 0..4 {
            let mut connection = pool.acquire().await.unwrap();
            let outside: bool = sqlx::raw_sql("select now() = statement_timestamp()")
                .fetch_one(&mut *connection)
                .await
                .map(|row| sqlx::Row::get(&row, 0))
                .unwrap();
            assert!(outside, "{begun}");
        }
    }
}

#[tokio::test]
async fn keeps_a_connection_that_was_used_as_it_should_be() {
    let (pool, _) = pool(2).await;
    let mut backends = Vec::new();
    for _ in 0..20 {
        let mut transaction = pool.begin().await.unwrap();
        let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        backends.push(backend);
        transaction.commit().await.unwrap();
    }
    backends.sort_unstable();
    backends.dedup();
    assert!(backends.len() <= 2, "{backends:?}");
}
