//! What a web page can do here: nothing.

use standin::testing::assert_refused_to_pages;

use crate::helpers::{ORDERS, TOPIC, TestServer};

#[tokio::test]
async fn no_page_can_publish_or_pull() {
    let server = TestServer::start().await;
    for request in [
        format!("POST /v1/{TOPIC}:publish"),
        format!("POST /v1/{ORDERS}:pull"),
        "POST /google.pubsub.v1.Publisher/Publish".to_owned(),
        "GET /".to_owned(),
    ] {
        assert_refused_to_pages(([127, 0, 0, 1], server.port).into(), &request).await;
    }
}
