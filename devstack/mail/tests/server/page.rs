use lettre::Message;
use lettre::message::SinglePart;

use crate::helpers::{Server, order_mail};

#[tokio::test]
async fn lists_messages_newest_first_with_links() {
    let server = Server::start().await;
    assert!(
        server
            .get("/")
            .await
            .text()
            .await
            .unwrap()
            .contains("0 messages")
    );
    server.send(order_mail("o-1", "the older one")).await;
    server.send(order_mail("o-2", "the newer one")).await;
    let page = server.get("/").await.text().await.unwrap();
    assert!(page.contains("2 messages"));
    assert!(page.find("the newer one").unwrap() < page.find("the older one").unwrap());
    let id = server.emails("").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(page.contains(&format!("href=\"/message/{id}\"")));
}

#[tokio::test]
async fn shows_headers_text_and_html_of_one_message() {
    let server = Server::start().await;
    server.send(order_mail("o-7", "shown")).await;
    let id = server.emails("").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = server
        .get(&format!("/message/{id}"))
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains("x-order-id") && page.contains("Your order o-7 is confirmed."));
    assert!(page.contains("<iframe sandbox=\"\""));
}

#[tokio::test]
async fn nothing_of_a_message_reaches_the_page_as_markup() {
    const ATTACK: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
    let server = Server::start().await;
    let message = Message::builder()
        .from("mallory@example.com".parse().unwrap())
        .to("ann@example.com".parse().unwrap())
        .subject(ATTACK)
        .singlepart(SinglePart::html(ATTACK.to_owned()))
        .unwrap();
    server.send(message).await;
    let id = server.emails("").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in ["/".to_owned(), format!("/message/{id}")] {
        let response = server.get(&path).await;
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        let page = response.text().await.unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(
            page.contains("&lt;script&gt;"),
            "{path} does not show the subject"
        );
        assert!(
            !page.contains("<script") && !page.contains("<img"),
            "{path}: {page}"
        );
    }
}
