//! What a web page of another origin can do here: link to a trace, and no more.

use standin::testing::{assert_link_can_be_followed, assert_refused_to_pages};

use crate::helpers::{TRACE, TestStore, span};

#[tokio::test]
async fn another_page_can_neither_send_nor_read() {
    let store = TestStore::start().await;
    let export = "POST /opentelemetry.proto.collector.trace.v1.TraceService/Export";
    assert_refused_to_pages(store.grpc, export).await;
    assert_refused_to_pages(store.http, "POST /v1/traces").await;
    assert_refused_to_pages(store.query, "GET /api/v3/services").await;
    assert_refused_to_pages(store.query, &format!("GET /trace/{TRACE}")).await;
}

#[tokio::test]
async fn another_page_can_link_to_a_trace() {
    let store = TestStore::start().await;
    store.send("orders", &[span(1, None, "send", 0)]).await;
    assert_link_can_be_followed(store.query, &format!("/trace/{TRACE}")).await;
}
