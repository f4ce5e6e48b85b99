use serde_json::json;
use telemetry::testing::attribute;

use crate::helpers::{TestApp, ended};

#[tokio::test]
async fn tells_the_customer_how_the_order_ended() {
    let app = TestApp::spawn().await;
    for (count, (status, words)) in [
        ("confirmed", "is confirmed"),
        ("rejected", "was rejected"),
        ("in_review", "is in review"),
        ("failed", "failed"),
    ]
    .into_iter()
    .enumerate()
    {
        let event = ended(status);
        let id = event["order_id"].as_str().unwrap();
        app.order_ended(&[&event]).await;
        let mail = app.until_mails(count + 1).await.pop().unwrap();
        assert_eq!(mail["subject"], format!("Your order {id} {words}"));
        assert_eq!(
            mail["to"],
            json!([{"address": "vip-ada@example.com", "name": ""}])
        );
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains(&format!("Order: {id}")), "{text}");
    }
}

#[tokio::test]
async fn says_why_an_order_was_rejected() {
    let app = TestApp::spawn().await;
    let mut event = ended("rejected");
    event["reason"] = json!("ITEM-010 is out of stock");
    app.order_ended(&[&event]).await;
    let mail = app.until_mails(1).await.remove(0);
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("ITEM-010 is out of stock"), "{text}");
}

#[tokio::test]
async fn programs_find_the_order_in_the_headers() {
    let app = TestApp::spawn().await;
    let event = ended("confirmed");
    app.order_ended(&[&event]).await;
    let mail = app.until_mails(1).await.remove(0);
    let id = event["order_id"].as_str().unwrap();
    assert_eq!(mail["headers"]["x-order-id"], id);
    assert_eq!(
        mail["messageId"],
        format!("{id}.confirmed@orderflow.example.com")
    );
}

#[tokio::test]
async fn keeps_what_was_sent() {
    let app = TestApp::spawn().await;
    let event = ended("confirmed");
    app.order_ended(&[&event]).await;
    app.until_processed(1).await;
    let kept = sqlx::query_as("select order_id::text, recipient, message_id from emails");
    let kept: (String, String, String) = kept.fetch_one(&app.database).await.unwrap();
    let id = event["order_id"].as_str().unwrap();
    assert_eq!(kept.0, id);
    assert_eq!(kept.1, "vip-ada@example.com");
    assert_eq!(kept.2, format!("<{id}.confirmed@orderflow.example.com>"));
}

#[tokio::test]
async fn the_spans_tell_no_address() {
    let app = TestApp::spawn().await;
    app.order_ended(&[&ended("confirmed")]).await;
    app.until_processed(1).await;
    let process = app.recorder.span("process order.ended").span_context;
    for name in ["INSERT emails", "send mail", "UPDATE emails"] {
        let span = app.recorder.span(name);
        assert_eq!(span.parent_span_id, process.span_id(), "{name}");
    }
    let send = app.recorder.span("send mail");
    let protocol = attribute(&send, "network.protocol.name");
    assert_eq!(protocol.as_deref(), Some("smtp"));
    let spans = format!("{:?}", app.recorder.spans());
    assert!(!spans.contains("@example.com"), "{spans}");
}
