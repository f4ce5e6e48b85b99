use domain::refusals;
use web::testing::until;

use crate::embeddings_api::Moody;
use crate::helpers::{TestApp, given_up, held, job};

/// The settings allow two attempts.
const MANY_ATTEMPTS: usize = 5;

#[tokio::test]
async fn an_order_is_given_up_after_the_last_attempt_and_keeps_what_it_holds() {
    let app = TestApp::spawn().await;
    app.world.inventory.answer("holds", 422, "");
    let job = job(&["ITEM-001", "ITEM-002"], "");
    assert_eq!(app.classify(&job).await, given_up(&job));
    // Two attempts, and nothing that takes anything back.
    assert_eq!(app.world.inventory.holds().len(), 2);

    let letter = app.world.sqs.next_dead_letter().await;
    assert_eq!(letter.payload, job);
    let expected = "inventory failed: 422: holding stock: ";
    assert!(letter.reason.starts_with(expected), "{}", letter.reason);
}

#[tokio::test]
async fn an_order_that_holds_something_else_is_given_up_after_the_last_attempt() {
    let app = TestApp::spawn().await;
    let inventory = &app.world.inventory;
    inventory.refuse(409, refusals::HOLDS_OTHERWISE, Some("it holds other items"));
    let job = job(&["ITEM-001"], "");
    assert_eq!(app.classify(&job).await, given_up(&job));
    assert_eq!(
        app.failed_twice().await,
        [
            "1: inventory, holds_otherwise",
            "2: inventory, holds_otherwise"
        ]
    );
}

#[tokio::test]
async fn a_failed_attempt_says_which_dependency_failed_and_how() {
    let app = TestApp::spawn().await;
    app.world.inventory.answer("holds", 422, "");
    app.classify(&job(&["ITEM-001"], "")).await;
    assert_eq!(
        app.failed_twice().await,
        ["1: inventory, 422", "2: inventory, 422"]
    );
}

#[tokio::test]
async fn an_order_waits_for_an_inventory_that_is_away_busy_or_of_another_version() {
    let app = TestApp::spawn().await;
    for status in [500, 503, 429, 408, 401, 403, 404, 405] {
        app.world.inventory.answer("holds", status, "");
        let before = app.failed_attempts("inventory");
        let job = job(&["ITEM-001"], "");
        app.world.sqs.send_job(&job).await;
        let failed = || app.failed_attempts("inventory") - before;
        until(async || (failed() >= MANY_ATTEMPTS).then_some(())).await;
        app.world.inventory.recover();
        let event = app.next_event().await;
        assert_eq!(event, held(&job, "standard"), "after {status}");
    }
}

#[tokio::test]
async fn an_order_is_tried_again_after_an_inventory_that_answers_nonsense() {
    let app = TestApp::spawn().await;
    app.world.inventory.answer("holds", 200, "<html>");
    let job = job(&["ITEM-001"], "");
    assert_eq!(app.classify(&job).await, given_up(&job));
    assert_eq!(
        app.failed_twice().await,
        [
            "1: inventory, invalid_answer",
            "2: inventory, invalid_answer"
        ]
    );
}

#[tokio::test]
async fn an_order_waits_for_an_embeddings_api_that_is_busy_broken_or_closed_to_us() {
    let embeddings = Moody::start().await;
    let app = TestApp::spawn_beside(&embeddings).await;
    let first = job(&["ITEM-001"], "");
    assert_eq!(app.classify(&first).await, held(&first, "standard"));
    for status in [429, 500, 503, 401, 403, 404, 408] {
        embeddings.answer(status, "not so fast");
        let before = app.failed_attempts("embeddings");
        let job = job(&["ITEM-001"], "");
        app.world.sqs.send_job(&job).await;
        let failed = || app.failed_attempts("embeddings") - before;
        until(async || (failed() >= MANY_ATTEMPTS).then_some(())).await;
        embeddings.recover();
        let event = app.next_event().await;
        assert_eq!(event, held(&job, "standard"), "after {status}");
    }
}

#[tokio::test]
async fn an_order_waits_for_an_embeddings_api_that_hangs_up_or_is_slow() {
    let app = TestApp::spawn().await;
    let first = job(&["ITEM-001"], "");
    assert_eq!(app.classify(&first).await, held(&first, "standard"));
    for (fault, class) in [("hang_up", "broken_answer"), ("slow:60000", "timeout")] {
        app.break_embeddings(fault).await;
        let job = job(&["ITEM-001"], "");
        app.world.sqs.send_job(&job).await;
        let failure = format!("1: embeddings, {class}");
        until(async || app.failures().contains(&failure).then_some(())).await;
        app.mend_embeddings().await;
        let event = app.next_event().await;
        assert_eq!(event, held(&job, "standard"), "after {fault}");
    }
}

#[tokio::test]
async fn an_order_whose_text_is_refused_is_given_up_and_can_be_redriven() {
    let embeddings = Moody::start().await;
    let app = TestApp::spawn_beside(&embeddings).await;
    let job = job(&["ITEM-001"], "");
    assert_eq!(app.classify(&job).await, held(&job, "standard"));
    for status in [400, 413, 422] {
        embeddings.answer(status, "we do not like it");
        assert_eq!(app.classify(&job).await, given_up(&job), "{status}");
        let letter = app.world.sqs.next_dead_letter().await;
        let expected = format!("embeddings failed: {status}: ");
        assert!(letter.reason.starts_with(&expected), "{}", letter.reason);
        embeddings.recover();
        assert_eq!(app.classify(&letter.payload).await, held(&job, "standard"));
    }
}

#[tokio::test]
async fn tries_again_when_the_embeddings_api_answers_nonsense() {
    let embeddings = Moody::start().await;
    let app = TestApp::spawn_beside(&embeddings).await;
    let first = job(&["ITEM-001"], "");
    assert_eq!(app.classify(&first).await, held(&first, "standard"));
    let short = r#"{"model": "m", "data": [{"index": 0, "embedding": [1.0]}]}"#;
    let shifted = r#"{"model": "m", "data": [{"index": 1, "embedding": [1.0]}]}"#;
    let none = r#"{"model": "m", "data": []}"#;
    for body in ["<html>", "{}", none, short, shifted] {
        embeddings.answer(200, body);
        let job = job(&["ITEM-002"], "");
        assert_eq!(app.classify(&job).await, given_up(&job), "after {body}");
        embeddings.recover();
        assert_eq!(app.classify(&job).await, held(&job, "fragile"));
    }
    let failures = app.failures();
    let mut failures = failures.iter();
    assert!(failures.all(|failure| failure.ends_with(": embeddings, invalid_answer")));
}
