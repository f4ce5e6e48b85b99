use serde_json::json;
use telemetry::testing::attribute;

use crate::helpers::{TestApp, classified};

#[tokio::test]
async fn tells_the_customer_how_the_order_ended() {
    let app = TestApp::spawn().await;
    for (count, (outcome, ended)) in [
        ("confirmed", "is confirmed"),
        ("rejected", "was rejected"),
        ("in_review", "is in review"),
        ("failed", "failed"),
    ]
    .into_iter()
    .enumerate()
    {
        let event = classified(outcome);
        let id = event["order_id"].as_str().unwrap();
        app.pubsub.publish(&[&event]).await;
        let mail = app.until_mails(count + 1).await.pop().unwrap();
        assert_eq!(mail["subject"], format!("Your order {id} {ended}"));
        assert_eq!(
            mail["to"],
            json!([{"address": "vip-ada@example.com", "name": ""}])
        );
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains(&format!("Order: {id}")), "{text}");
    }
}

#[tokio::test]
async fn programs_find_the_order_in_the_headers() {
    let app = TestApp::spawn().await;
    let event = classified("confirmed");
    app.pubsub.publish(&[&event]).await;
    let mail = app.until_mails(1).await.remove(0);
    let id = event["order_id"].as_str().unwrap();
    assert_eq!(mail["headers"]["x-order-id"], id);
    assert_eq!(mail["messageId"], format!("{id}@orderflow.example.com"));
}

#[tokio::test]
async fn keeps_what_was_sent() {
    let app = TestApp::spawn().await;
    let event = classified("confirmed");
    app.pubsub.publish(&[&event]).await;
    app.until_processed(1).await;
    let kept = sqlx::query_as("select order_id::text, recipient, message_id from emails");
    let kept: (String, String, String) = kept.fetch_one(&app.database).await.unwrap();
    let id = event["order_id"].as_str().unwrap();
    assert_eq!(kept.0, id);
    assert_eq!(kept.1, "vip-ada@example.com");
    assert_eq!(kept.2, format!("<{id}@orderflow.example.com>"));
}

#[tokio::test]
async fn the_spans_tell_no_address() {
    let app = TestApp::spawn().await;
    app.pubsub.publish(&[&classified("confirmed")]).await;
    app.until_processed(1).await;
    let process = app.recorder.span("process order.classified").span_context;
    for name in ["INSERT emails", "send mail"] {
        let span = app.recorder.span(name);
        assert_eq!(span.parent_span_id, process.span_id(), "{name}");
    }
    let send = app.recorder.span("send mail");
    let protocol = attribute(&send, "network.protocol.name");
    assert_eq!(protocol.as_deref(), Some("smtp"));
    let spans = format!("{:?}", app.recorder.spans());
    assert!(!spans.contains("@example.com"), "{spans}");
}
