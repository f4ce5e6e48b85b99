//! The plain pages.

use reqwest::StatusCode;
use serde_json::json;

use crate::helpers::{OTHER_TRACE, TRACE, TestStore, span, with};

#[tokio::test]
async fn lists_the_last_traces_and_escapes_their_names() {
    let store = TestStore::start().await;
    assert!(
        store
            .get_text("/")
            .await
            .1
            .contains("No trace has arrived yet.")
    );
    store
        .send(
            "<b>orders",
            &[span(1, None, "<script>alert('x')</script>", 0)],
        )
        .await;
    let (status, html) = store.get_text("/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("&lt;script&gt;alert"), "{html}");
    assert!(html.contains("&lt;b&gt;orders"));
    assert!(!html.contains("<script>"));
    assert!(html.contains(&format!("href=\"/trace/{TRACE}\"")));
    assert!(html.contains("1000.000 ms"));
}

#[tokio::test]
async fn shows_a_trace_with_its_links_in_both_directions() {
    let store = TestStore::start().await;
    let link = |trace, id| json!([{ "traceId": trace, "spanId": id }]);
    store
        .send(
            "orders",
            &[with(
                span(1, None, "send", 0),
                json!({ "links": link(OTHER_TRACE, "0000000000000009") }),
            )],
        )
        .await;
    store
        .send(
            "email",
            &[with(
                span(9, None, "process", 0),
                json!({ "traceId": OTHER_TRACE, "links": link(TRACE, "0000000000000001") }),
            )],
        )
        .await;
    let (status, html) = store.get_text(&format!("/trace/{TRACE}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        html.contains(&format!("href=\"/trace/{OTHER_TRACE}#0000000000000009\"")),
        "{html}"
    );
    assert!(html.contains("⇢ linked from email process"));
}

#[tokio::test]
async fn spans_that_are_each_others_parent_do_not_trap_the_page() {
    let store = TestStore::start().await;
    store
        .send(
            "orders",
            &[
                span(1, Some(2), "a", 0),
                span(2, Some(1), "b", 0),
                span(3, Some(3), "c", 0),
            ],
        )
        .await;
    assert_eq!(
        store.get_text(&format!("/trace/{TRACE}")).await.0,
        StatusCode::OK
    );
    assert_eq!(store.get_text("/").await.0, StatusCode::OK);
}

#[tokio::test]
async fn says_that_a_trace_is_unknown() {
    let store = TestStore::start().await;
    let (status, html) = store.get_text("/trace/%3Cb%3E").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(html.contains("&lt;b&gt;"));
}

#[tokio::test]
async fn is_healthy() {
    let store = TestStore::start().await;
    assert_eq!(
        store.get_text("/healthz").await,
        (StatusCode::OK, "ok".to_owned())
    );
}
