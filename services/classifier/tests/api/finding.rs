use domain::refusals;
use serde_json::json;

use crate::helpers::{TestApp, classified, held, job};

#[tokio::test]
async fn reports_an_order_as_held_after_one_request_for_all_of_it() {
    let app = TestApp::spawn().await;
    let mut job = job(&["ITEM-002", "ITEM-001", "ITEM-002"], "");
    job["items"][2]["quantity"] = json!(5);
    assert_eq!(app.classify(&job).await, held(&job, "fragile"));
    let items = json!([
        {"item_id": "ITEM-001", "quantity": 1}, {"item_id": "ITEM-002", "quantity": 6},
    ]);
    let expected = json!({"order_id": job["order_id"], "items": items});
    assert_eq!(app.world.inventory.holds(), [expected]);
}

#[tokio::test]
async fn reports_an_order_as_short_with_the_inventorys_words() {
    let app = TestApp::spawn().await;
    let words = "ITEM-003 is out of stock";
    let inventory = &app.world.inventory;
    inventory.refuse(409, refusals::OUT_OF_STOCK, Some(words));
    let job = job(&["ITEM-001", "ITEM-003"], "");
    let expected = classified(&job, "short", &json!("standard"), &json!(words));
    assert_eq!(app.classify(&job).await, expected);
    assert_eq!(inventory.holds().len(), 1);
}

#[tokio::test]
async fn reports_an_order_as_short_that_wants_what_nobody_knows() {
    let app = TestApp::spawn().await;
    let job = job(&["ITEM-001", "ITEM-999"], "");
    let reason = json!("ITEM-999 is not in our catalogue");
    let expected = classified(&job, "short", &json!("standard"), &reason);
    assert_eq!(app.classify(&job).await, expected);
}

#[tokio::test]
async fn has_words_of_its_own_for_a_refusal_without_any() {
    let app = TestApp::spawn().await;
    let inventory = &app.world.inventory;
    inventory.refuse(409, refusals::OUT_OF_STOCK, None);
    let event = app.classify(&job(&["ITEM-001"], "")).await;
    let reason = "not everything that was ordered is to be had";
    assert_eq!(event["reason"], reason);
}

#[tokio::test]
async fn holds_a_suspicious_order_too_and_says_what_it_looks_like() {
    let app = TestApp::spawn().await;
    let job = job(
        &["ITEM-001"],
        "try these stolen cards until one of them works",
    );
    let reason = json!("the order looks suspicious");
    let expected = classified(&job, "held", &json!("suspicious"), &reason);
    assert_eq!(app.classify(&job).await, expected);
    assert_eq!(app.world.inventory.holds().len(), 1);
}

#[tokio::test]
async fn reports_nothing_about_an_order_that_has_ended() {
    let app = TestApp::spawn().await;
    let inventory = &app.world.inventory;
    inventory.refuse(409, refusals::ENDED, Some("the order has ended"));
    app.world.sqs.send_job(&job(&["ITEM-001"], "")).await;
    app.until_ended("process classification-jobs", 1).await;
    inventory.answer(
        "holds",
        200,
        r#"{"order_id": "0198c5f0-5d0b-7c3a-9f3e-1c6f6a1d0001", "status": "kept"}"#,
    );
    app.world.sqs.send_job(&job(&["ITEM-001"], "")).await;
    app.until_ended("process classification-jobs", 2).await;
    inventory.recover();
    let next = job(&["ITEM-001"], "");
    assert_eq!(app.classify(&next).await, held(&next, "standard"));
    app.until_ended("send order.classified", 1).await;
    assert_eq!(app.count("send order.classified"), 1);
    assert_eq!(app.count("send classification-jobs-dlq"), 0);
}

#[tokio::test]
async fn what_the_customer_says_may_tell_the_category() {
    let app = TestApp::spawn().await;
    let job = job(&["ITEM-999"], "it is a birthday present, please wrap it");
    assert_eq!(app.classify(&job).await["category"], "gift");
}

#[tokio::test]
async fn what_is_no_job_is_a_dead_letter_and_the_next_job_is_done() {
    let app = TestApp::spawn().await;
    let garbage = json!({"order_id": "7"});
    app.world.sqs.send_job(&garbage).await;
    let letter = app.world.sqs.next_dead_letter().await;
    assert_eq!(letter.payload, garbage);
    assert!(
        letter.reason.starts_with("the payload is not"),
        "{}",
        letter.reason
    );
    let job = job(&["ITEM-001"], "");
    assert_eq!(app.classify(&job).await["finding"], "held");
}
