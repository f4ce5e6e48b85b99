use std::collections::HashSet;

use futures::future::join_all;
use serde_json::Value;
use web::testing::until;

use crate::helpers::{Answer, TestApp, order, trace};

/// Waits until a relay has taken what is in the outbox: it locks the rows while it sends them.
async fn until_a_relay_is_sending(app: &TestApp) {
    let free = "select id from outbox for update skip locked";
    until(async || {
        let free = sqlx::query(free).fetch_all(&app.database).await.unwrap();
        free.is_empty().then_some(())
    })
    .await;
}

async fn until_the_outbox_is_empty(app: &TestApp) {
    until(async || (app.outbox_rows().await == 0).then_some(())).await;
}

#[tokio::test]
async fn an_event_stays_in_the_outbox_while_kafka_is_away_and_is_sent_when_it_is_back() {
    let app = TestApp::spawn().await;
    app.place().await;
    until_the_outbox_is_empty(&app).await;
    app.kafka.down();
    let id = app.place().await;
    until_a_relay_is_sending(&app).await;
    assert_eq!(app.outbox_rows().await, 1);
    app.kafka.up();
    until_the_outbox_is_empty(&app).await;
    assert_eq!(app.kafka.records(2).await[1].key, id);
}

#[tokio::test]
async fn keeps_the_context_of_the_request_and_not_of_the_relay() {
    let app = TestApp::spawn().await;
    app.place().await;
    until_the_outbox_is_empty(&app).await;
    app.kafka.down();
    let order = order();
    let answers = join_all((0..3).map(|_| app.post(&order))).await;
    let traces: HashSet<_> = answers.iter().map(Answer::trace).collect();
    assert_eq!(traces.len(), 3);

    let stored = sqlx::query_scalar("select context from outbox");
    let stored: Vec<sqlx::types::Json<Value>> = stored.fetch_all(&app.database).await.unwrap();
    let stored = stored
        .iter()
        .map(|context| context["traceparent"].as_str().unwrap());
    assert_eq!(stored.map(trace).collect::<HashSet<_>>(), traces);

    app.kafka.up();
    until_the_outbox_is_empty(&app).await;
    let sent = app
        .recorder
        .spans()
        .into_iter()
        .filter(|span| span.name == "send order.created");
    let parents: HashSet<_> = sent
        .map(|span| {
            (
                span.span_context.trace_id().to_string(),
                span.parent_span_id.to_string(),
            )
        })
        .collect();
    assert!(parents.is_superset(&traces), "{parents:?} and {traces:?}");
}

#[tokio::test]
async fn two_relays_at_once_send_each_event_once() {
    const ORDERS: usize = 60;
    let app = TestApp::spawn().await;
    let second = app.second().await;
    let order = order();
    let placed = (0..ORDERS).map(|n| {
        let service = if n % 2 == 0 { &app.service } else { &second };
        service.post(&order)
    });
    let placed = join_all(placed).await;
    let placed: HashSet<_> = placed
        .iter()
        .map(|answer| answer.body["order_id"].as_str().unwrap().to_owned())
        .collect();
    until_the_outbox_is_empty(&app).await;
    let records = app.kafka.records(ORDERS).await;
    let sent: HashSet<_> = records.into_iter().map(|record| record.key).collect();
    assert_eq!(sent, placed);
    assert_eq!(app.kafka.count().await, i64::try_from(ORDERS).unwrap());
}

#[tokio::test]
async fn an_event_that_was_left_behind_is_sent_by_the_next_relay() {
    let app = TestApp::spawn().await;
    app.place().await;
    until_the_outbox_is_empty(&app).await;
    // What a relay leaves that died before it sent: a row that nobody is told about again.
    let leave = "
        alter table outbox disable trigger outbox_notify;
        insert into outbox (key, payload, context) values ('left behind', '{}', '{}');
        alter table outbox enable trigger outbox_notify";
    sqlx::raw_sql(leave).execute(&app.database).await.unwrap();
    let _next = app.second().await;
    assert_eq!(app.kafka.records(2).await[1].key, "left behind");
}
