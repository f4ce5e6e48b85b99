use serde_json::{Value, json};

use crate::helpers::{TestApp, classified, job};

#[tokio::test]
async fn confirms_an_order_when_everything_is_reserved() {
    let app = TestApp::spawn().await;
    let mut job = job(&["ITEM-002", "ITEM-001", "ITEM-002"], "");
    job["items"][2]["quantity"] = json!(5);
    let event = app.classify(&job).await;
    assert_eq!(
        event,
        classified(&job, "confirmed", &json!("fragile"), &Value::Null)
    );
    let reserve = |quantity| json!({"order_id": job["order_id"], "quantity": quantity});
    let expected = [
        ("reserve ITEM-001".to_owned(), reserve(1)),
        ("reserve ITEM-002".to_owned(), reserve(6)),
    ];
    assert_eq!(app.world.inventory.requests(), expected);
}

#[tokio::test]
async fn rejects_an_order_without_stock_and_releases_what_it_had_reserved() {
    let app = TestApp::spawn().await;
    app.world.inventory.answer("reserve ITEM-003", 409);
    let job = job(&["ITEM-001", "ITEM-002", "ITEM-003"], "");
    let event = app.classify(&job).await;
    assert_eq!(event["outcome"], "rejected");
    assert_eq!(event["reason"], "ITEM-003 is out of stock");
    let expected = [
        "reserve ITEM-001",
        "reserve ITEM-002",
        "reserve ITEM-003",
        "release ITEM-001",
        "release ITEM-002",
    ];
    assert_eq!(app.world.inventory.asked(), expected);
    let (_, release) = app.world.inventory.requests().remove(3);
    assert_eq!(release, json!({"order_id": job["order_id"]}));
}

#[tokio::test]
async fn rejects_an_item_that_nobody_knows() {
    let app = TestApp::spawn().await;
    let job = job(&["ITEM-001", "ITEM-999"], "");
    let event = app.classify(&job).await;
    let reason = json!("ITEM-999 is not in our catalogue");
    assert_eq!(
        event,
        classified(&job, "rejected", &json!("standard"), &reason)
    );
    let expected = ["reserve ITEM-001", "reserve ITEM-999", "release ITEM-001"];
    assert_eq!(app.world.inventory.asked(), expected);
}

#[tokio::test]
async fn puts_a_suspicious_order_in_review_and_reserves_nothing() {
    let app = TestApp::spawn().await;
    let job = job(
        &["ITEM-001"],
        "try these stolen cards until one of them works",
    );
    let event = app.classify(&job).await;
    let reason = json!("the order looks suspicious");
    assert_eq!(
        event,
        classified(&job, "in_review", &json!("suspicious"), &reason)
    );
    assert_eq!(app.world.inventory.asked(), [""; 0]);
}

#[tokio::test]
async fn what_the_customer_says_may_decide_the_category() {
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
    assert_eq!(app.classify(&job).await["outcome"], "confirmed");
}
