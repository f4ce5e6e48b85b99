use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::helpers::{Server, order_mail};

#[tokio::test]
async fn shows_a_message_as_it_was_sent() {
    let server = Server::start().await;
    server
        .send(order_mail("o-1", "Grüße: order confirmed"))
        .await;
    let emails = server.emails("").await;
    let email = &emails[0];
    assert_eq!(email["subject"], "Grüße: order confirmed");
    assert_eq!(
        email["from"],
        json!([{ "address": "orders@example.com", "name": "OrderFlow" }])
    );
    assert_eq!(
        email["to"],
        json!([{ "address": "ann@example.com", "name": "" }])
    );
    assert_eq!(email["headers"]["x-order-id"], "o-1");
    assert_eq!(email["text"], "Your order o-1 is confirmed.\n.\nThank you.");
    assert_eq!(email["html"], "<p>Your order <b>o-1</b> is confirmed.</p>");
    assert_eq!(
        email["envelope"]["to"],
        json!([{ "address": "ann@example.com" }])
    );
}

#[tokio::test]
async fn one_message_and_its_source_are_found_by_id() {
    let server = Server::start().await;
    server.send(order_mail("o-1", "one")).await;
    let emails = server.emails("").await;
    let id = emails[0]["id"].as_str().unwrap();
    let one: Value = server
        .get(&format!("/email/{id}"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(one, emails[0]);
    let source = server.get(&format!("/email/{id}/source")).await;
    assert_eq!(
        source.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    let source = source.text().await.unwrap();
    assert!(source.contains("X-Order-Id: o-1\r\n"), "{source}");
}

#[tokio::test]
async fn messages_with_one_message_id_stay_two() {
    let server = Server::start().await;
    let message = order_mail("o-1", "twice");
    server.send(message.clone()).await;
    server.send(message).await;
    let emails = server.emails("?headers.x-order-id=o-1").await;
    assert_eq!(emails.len(), 2);
    assert_eq!(emails[0]["messageId"], emails[1]["messageId"]);
    assert_ne!(emails[0]["id"], emails[1]["id"]);
}

#[tokio::test]
async fn filters_skips_and_limits() {
    let server = Server::start().await;
    for order in ["a", "b", "a", "a"] {
        server.send(order_mail(order, "filtered")).await;
    }
    assert_eq!(server.emails("?headers.x-order-id=a").await.len(), 3);
    assert_eq!(
        server
            .emails("?headers.x-order-id=a&subject=other")
            .await
            .len(),
        0
    );
    assert_eq!(server.emails("?to.address=ann@example.com").await.len(), 4);
    assert_eq!(server.emails("?no.such.field=x").await.len(), 0);

    let all = server.emails("").await;
    assert_eq!(server.emails("?skip=1&limit=2").await, all[1..3]);
    assert_eq!(
        server.emails("?headers.x-order-id=a&skip=1").await,
        all[2..]
    );
    assert!(server.emails("?skip=99").await.is_empty());

    let response = server.get("/email?headers.x-order-id=a&limit=1").await;
    assert_eq!(response.headers()["x-total-count"], "3");
    assert_eq!(response.headers()["x-dropped-count"], "0");
}

#[tokio::test]
async fn refuses_a_page_that_is_no_number() {
    let server = Server::start().await;
    for query in ["skip=-1", "limit=many", "skip="] {
        let response = server.get(&format!("/email?{query}")).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
        assert!(response.json::<Value>().await.unwrap()["error"].is_string());
    }
}

#[tokio::test]
async fn deletes_one_message_or_all() {
    let server = Server::start().await;
    for subject in ["first", "second", "third"] {
        server.send(order_mail("o", subject)).await;
    }
    let path = format!(
        "/email/{}",
        server.emails("?subject=second").await[0]["id"]
            .as_str()
            .unwrap()
    );
    assert_eq!(
        server
            .request(Method::DELETE, &path)
            .await
            .json::<Value>()
            .await
            .unwrap(),
        json!(true)
    );
    assert_eq!(server.get(&path).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        server.request(Method::DELETE, &path).await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(server.emails("").await.len(), 2);

    assert_eq!(
        server.request(Method::DELETE, "/email/all").await.status(),
        StatusCode::OK
    );
    assert!(server.emails("").await.is_empty());
}

#[tokio::test]
async fn says_that_a_message_is_not_there() {
    let server = Server::start().await;
    for path in ["/email/nope", "/email/nope/source", "/message/nope"] {
        assert_eq!(
            server.get(path).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    assert_eq!(server.get("/healthz").await.status(), StatusCode::OK);
}
