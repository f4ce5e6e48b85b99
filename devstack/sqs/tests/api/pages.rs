//! What a web page can do here: nothing.

use standin::testing::assert_refused_to_pages;

use crate::helpers::Server;

#[tokio::test]
async fn no_page_can_purge_a_queue() {
    let server = Server::start().await;
    server.send("a").await;
    let address = server.endpoint.trim_start_matches("http://");
    let purge = "GET /000000000000/jobs?Action=PurgeQueue";
    assert_refused_to_pages(address.parse().unwrap(), purge).await;
    assert!(server.receive().await.is_some());
}
