use serde_json::{Value, json};
use telemetry::testing::attribute;
use web::testing::until;

use crate::embeddings_api::Moody;
use crate::helpers::{TestApp, classified, job};

#[tokio::test]
async fn an_order_fails_after_the_last_attempt_and_keeps_nothing_reserved() {
    let app = TestApp::spawn().await;
    app.world.inventory.answer("reserve ITEM-002", 422);
    let job = job(&["ITEM-001", "ITEM-002"], "");
    let event = app.classify(&job).await;
    let reason = json!("the order could not be processed");
    assert_eq!(event, classified(&job, "failed", &Value::Null, &reason));
    let expected = [
        "reserve ITEM-001",
        "reserve ITEM-002",
        "reserve ITEM-001",
        "reserve ITEM-002",
        "release ITEM-001",
        "release ITEM-002",
    ];
    assert_eq!(app.world.inventory.asked(), expected);

    let letter = app.world.sqs.next_dead_letter().await;
    assert_eq!(letter.payload, job);
    assert!(
        letter.reason.contains("inventory failed"),
        "{}",
        letter.reason
    );
    assert!(
        letter.reason.contains("reserving ITEM-002"),
        "{}",
        letter.reason
    );
}

#[tokio::test]
async fn a_failed_attempt_says_which_dependency_failed() {
    let app = TestApp::spawn().await;
    app.world.inventory.answer("reserve ITEM-001", 422);
    app.classify(&job(&["ITEM-001"], "")).await;
    app.world.sqs.next_dead_letter().await;
    let spans = app.recorder.spans().into_iter();
    let attempts: Vec<_> = spans
        .filter(|span| span.name == "process classification-jobs")
        .map(|span| {
            let attempt = attribute(&span, "orderflow.messaging.attempt").unwrap();
            let failed = attribute(&span, "orderflow.messaging.failed_dependency").unwrap();
            (attempt, failed)
        })
        .collect();
    let expected = ["1", "2"].map(|attempt| (attempt.to_owned(), "inventory".to_owned()));
    assert_eq!(attempts, expected);
}

#[tokio::test]
async fn an_order_does_not_fail_before_its_items_are_released() {
    let app = TestApp::spawn().await;
    app.world.inventory.answer("reserve ITEM-001", 422);
    app.world.inventory.answer("release ITEM-001", 500);
    let job = job(&["ITEM-001"], "");
    app.world.sqs.send_job(&job).await;
    let releases = || {
        let asked = app.world.inventory.asked().into_iter();
        asked.filter(|what| what == "release ITEM-001").count()
    };
    until(async || (releases() >= 2).then_some(())).await;
    assert_eq!(app.count("send order.classified"), 0);
    app.world.inventory.answer("release ITEM-001", 200);
    assert_eq!(app.next_event().await["outcome"], "failed");
}

/// The settings allow two attempts.
const MANY_ATTEMPTS: usize = 5;

#[tokio::test]
async fn an_order_waits_for_an_inventory_that_is_away_or_busy() {
    let app = TestApp::spawn().await;
    for status in [500, 503, 429, 401] {
        app.world.inventory.answer("reserve ITEM-001", status);
        let before = app.failed_attempts("inventory");
        let job = job(&["ITEM-001"], "");
        app.world.sqs.send_job(&job).await;
        let failed = || app.failed_attempts("inventory") - before;
        until(async || (failed() >= MANY_ATTEMPTS).then_some(())).await;
        app.world.inventory.answer("reserve ITEM-001", 200);
        let event = app.next_event().await;
        let expected = classified(&job, "confirmed", &json!("standard"), &Value::Null);
        assert_eq!(event, expected, "after {status}");
    }
}

#[tokio::test]
async fn an_order_waits_for_an_embeddings_api_that_is_busy() {
    let embeddings = Moody::start().await;
    let app = TestApp::spawn_beside(&embeddings).await;
    let job = job(&["ITEM-001"], "");
    assert_eq!(app.classify(&job).await["outcome"], "confirmed");
    embeddings.answer(429, "not so fast");
    app.world.sqs.send_job(&job).await;
    let failed = || app.failed_attempts("embeddings");
    until(async || (failed() >= MANY_ATTEMPTS).then_some(())).await;
    embeddings.recover();
    assert_eq!(app.next_event().await["outcome"], "confirmed");
}

#[tokio::test]
async fn tries_again_when_the_embeddings_api_fails_or_answers_nonsense() {
    let embeddings = Moody::start().await;
    let app = TestApp::spawn_beside(&embeddings).await;
    assert_eq!(
        app.classify(&job(&["ITEM-001"], "")).await["outcome"],
        "confirmed"
    );
    let short = r#"{"model": "m", "data": [{"index": 0, "embedding": [1.0]}]}"#;
    let shifted = r#"{"model": "m", "data": [{"index": 1, "embedding": [1.0]}]}"#;
    for (status, body) in [
        (500, "no"),
        (401, "no key"),
        (200, "<html>"),
        (200, "{}"),
        (200, r#"{"model": "m", "data": []}"#),
        (200, short),
        (200, shifted),
    ] {
        embeddings.answer(status, body);
        let failed = app.failed_attempts("embeddings");
        let job = job(&["ITEM-002"], "");
        app.world.sqs.send_job(&job).await;
        until(async || (app.failed_attempts("embeddings") > failed).then_some(())).await;
        embeddings.recover();
        let event = app.next_event().await;
        let expected = classified(&job, "confirmed", &json!("fragile"), &Value::Null);
        assert_eq!(event, expected, "after {body}");
    }
}
