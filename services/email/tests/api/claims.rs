use chrono::{DateTime, Utc};
use serde_json::Value;
use web::testing::until;

use crate::helpers::{TestApp, ended};
use crate::smtp::{END, Smtp};

/// Somebody else has claimed the mail about `event`, until so many seconds from now.
async fn claim(app: &TestApp, event: &Value, seconds: f64) -> DateTime<Utc> {
    app.until_ready().await;
    let sql = "insert into emails (order_id, status, recipient, subject, message_id, claimed_until)
        values ($1::uuid, $2, '', '', '', now() + make_interval(secs => $3))
        returning claimed_until";
    let insert = sqlx::query_scalar(sql)
        .bind(event["order_id"].as_str())
        .bind(event["status"].as_str())
        .bind(seconds);
    insert.fetch_one(&app.database).await.unwrap()
}

#[tokio::test]
async fn a_mail_that_somebody_has_claimed_and_died_is_sent() {
    let app = TestApp::spawn().await;
    let event = ended("confirmed");
    claim(&app, &event, -1.0).await;
    app.order_ended(&[&event]).await;
    app.until_sent(&event).await;
    app.until_mails(1).await;
    assert_eq!(app.count("send mail"), 1);
}

#[tokio::test]
async fn a_mail_that_somebody_is_sending_is_waited_for() {
    let app = TestApp::spawn().await;
    let (event, other) = (ended("confirmed"), ended("confirmed"));
    let until = claim(&app, &event, 1.0).await;
    app.order_ended(&[&event, &other]).await;
    app.until_sent(&other).await;
    app.until_sent(&event).await;
    let sent = sqlx::query_scalar("select sent_at from emails where order_id::text = $1")
        .bind(event["order_id"].as_str())
        .fetch_one(&app.database);
    let sent: DateTime<Utc> = sent.await.unwrap();
    assert!(sent >= until, "{sent} is before {until}");
    app.until_mails(2).await;
    assert_eq!(app.count("send mail"), 2);
    assert_eq!(app.count("send order.ended.dlt"), 0);
}

#[tokio::test]
async fn a_mail_is_claimed_while_it_is_sent_and_no_transaction_is_open() {
    let smtp = Smtp::start().await;
    smtp.hold(true);
    let app = TestApp::spawn_beside(&smtp).await;
    let event = ended("confirmed");
    app.order_ended(&[&event]).await;
    until(async || (!smtp.mails().is_empty()).then_some(())).await;
    let claimed = sqlx::query_scalar(
        "select claimed_until > now() + interval '30 s' and sent_at is null from emails",
    );
    let claimed: bool = claimed.fetch_one(&app.database).await.unwrap();
    assert!(claimed);
    let open = "select count(*) from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'";
    let open: i64 = sqlx::query_scalar(open)
        .fetch_one(&app.database)
        .await
        .unwrap();
    assert_eq!(open, 0);
    smtp.hold(false);
    app.until_sent(&event).await;
}

#[tokio::test]
async fn a_mail_whose_answer_is_lost_comes_again_with_the_same_message_id() {
    let smtp = Smtp::start().await;
    smtp.hang_up_first(1, END);
    let app = TestApp::spawn_beside(&smtp).await;
    let event = ended("confirmed");
    app.order_ended(&[&event]).await;
    app.until_sent(&event).await;
    let [first, second] = &smtp.mails()[..] else {
        panic!("the server has it twice: {:?}", smtp.mails());
    };
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_mail_is_sent_once_when_the_database_goes_before_that_is_written_down() {
    let smtp = Smtp::start().await;
    smtp.hold(true);
    let app = TestApp::spawn_beside(&smtp).await;
    let event = ended("confirmed");
    app.order_ended(&[&event]).await;
    until(async || (!smtp.mails().is_empty()).then_some(())).await;
    app.take_database().await;
    smtp.hold(false);
    app.until_failed("postgresql").await;
    app.give_database_back().await;
    app.until_sent(&event).await;
    assert_eq!(smtp.mails().len(), 1);
}
