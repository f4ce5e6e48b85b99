use std::collections::{HashMap, HashSet};

use futures::future::join_all;
use serde_json::Value;
use web::testing::until;

use crate::helpers::{Answer, TestApp, order, trace};
use crate::kafka::{CREATED, ENDED};

/// Waits until a relay has taken what is in the outbox.
async fn until_a_relay_is_sending(app: &TestApp) {
    let free = "select count(*) from outbox where claimed_until is null";
    until(async || {
        let free: i64 = sqlx::query_scalar(free)
            .fetch_one(&app.database)
            .await
            .unwrap();
        (free == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_event_stays_in_the_outbox_while_kafka_is_away_and_is_sent_when_it_is_back() {
    let app = TestApp::spawn().await;
    app.place().await;
    app.until_the_outbox_is_empty().await;
    app.kafka.down();
    let id = app.place().await;
    until_a_relay_is_sending(&app).await;
    assert_eq!(app.outbox_rows().await, 1);
    app.kafka.up();
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.kafka.records(CREATED, 2).await[1].key, id);
}

#[tokio::test]
async fn keeps_the_context_of_the_request_and_not_of_the_relay() {
    let app = TestApp::spawn().await;
    app.place().await;
    app.until_the_outbox_is_empty().await;
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
    app.until_the_outbox_is_empty().await;
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
    app.until_the_outbox_is_empty().await;
    let records = app.kafka.records(CREATED, ORDERS).await;
    let sent: HashSet<_> = records.into_iter().map(|record| record.key).collect();
    assert_eq!(sent, placed);
    assert_eq!(
        app.kafka.count(CREATED).await,
        i64::try_from(ORDERS).unwrap()
    );
}

#[tokio::test]
async fn an_event_that_was_left_behind_is_sent_by_the_next_relay() {
    let app = TestApp::spawn().await;
    app.place().await;
    app.until_the_outbox_is_empty().await;
    // What a relay leaves that died while it sent: a row that nobody is told about again, and its lease.
    app.sql(
        "
        insert into outbox (topic, key, payload, context, claimed_until)
        values ('order.created', 'left behind', '{}', '{}', now() + interval '1 second')",
    )
    .await;
    let _next = app.second().await;
    assert_eq!(app.kafka.records(CREATED, 2).await[1].key, "left behind");
}

#[tokio::test]
async fn the_events_of_an_order_are_sent_in_their_order_by_several_relays() {
    const ORDERS: usize = 20;
    const EVENTS: usize = 5;
    let app = TestApp::spawn().await;
    let _second = app.second().await;
    app.sql("
        insert into outbox (topic, key, payload, context)
        select 'order.ended', 'order ' || n % 20, to_jsonb(n / 20), '{}' from generate_series(0, 99) as n")
        .await;
    let mut told = HashMap::<_, Vec<_>>::new();
    for record in app.kafka.records(ENDED, ORDERS * EVENTS).await {
        told.entry(record.key)
            .or_default()
            .push(record.payload.as_u64());
    }
    let expected: Vec<_> = (0..5).map(Some).collect();
    assert!(told.values().all(|events| *events == expected), "{told:?}");
    app.until_the_outbox_is_empty().await;
}

#[tokio::test]
async fn a_row_that_is_taken_holds_up_the_later_ones_of_its_key_and_no_others() {
    let app = TestApp::spawn().await;
    app.sql(
        "
        insert into outbox (topic, key, payload, context, claimed_until) values
            ('order.ended', 'a', '1', '{}', now() + interval '1 hour'),
            ('order.ended', 'a', '2', '{}', null),
            ('order.ended', 'b', '3', '{}', null)",
    )
    .await;
    let records = app.kafka.records(ENDED, 1).await;
    assert_eq!(records[0].payload, 3);
    app.place().await;
    app.kafka.records(CREATED, 1).await;
    assert_eq!(
        (app.outbox_rows().await, app.kafka.count(ENDED).await),
        (2, 1)
    );
    app.sql("update outbox set claimed_until = now() where payload = '1'")
        .await;
    let records = app.kafka.records(ENDED, 3).await;
    let sent: Vec<_> = records.iter().map(|record| &record.payload).collect();
    assert_eq!(sent, [3, 1, 2]);
}

#[tokio::test]
async fn an_event_for_a_topic_that_nobody_sends_to_holds_up_no_other() {
    let app = TestApp::spawn().await;
    app.sql(
        "insert into outbox (topic, key, payload, context) values ('order.lost', 'a', '1', '{}')",
    )
    .await;
    app.place().await;
    app.kafka.records(CREATED, 1).await;
    until(async || (app.outbox_rows().await == 1).then_some(())).await;
}

#[tokio::test]
async fn the_fewest_connections_to_the_database_are_enough() {
    let app = TestApp::spawn_with(&["--database-max-connections=2"]).await;
    let id = app.place().await;
    assert_eq!(app.kafka.records(CREATED, 1).await[0].key, id);
    app.found(&id, "held").await;
    app.until_status(&id, "confirmed").await;
    app.kafka.records(ENDED, 1).await;
}
