//! What a web page can do here: nothing.

use standin::testing::assert_refused_to_pages;

use crate::helpers::Server;

#[tokio::test]
async fn no_page_can_ask_for_embeddings_or_switch_faults() {
    let server = Server::start().await;
    let address = server.url.trim_start_matches("http://");
    for request in ["POST /v1/embeddings", "PUT /faults", "DELETE /faults"] {
        assert_refused_to_pages(address.parse().unwrap(), request).await;
    }
}
