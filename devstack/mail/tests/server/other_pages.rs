//! What a web page of another origin can do here: link to the mails, and no more.

use standin::testing::{assert_link_can_be_followed, assert_refused_to_pages};

use crate::helpers::{Server, order_mail};

#[tokio::test]
async fn another_page_can_neither_read_nor_delete_mails_nor_switch_faults() {
    let server = Server::start().await;
    server.send(order_mail("o-1", "kept")).await;
    for request in ["GET /email", "DELETE /email/all", "PUT /faults", "GET /"] {
        assert_refused_to_pages(server.http, request).await;
    }
    assert_eq!(server.emails("").await.len(), 1);
}

#[tokio::test]
async fn another_page_can_link_to_the_mails() {
    let server = Server::start().await;
    assert_link_can_be_followed(server.http, "/").await;
}
