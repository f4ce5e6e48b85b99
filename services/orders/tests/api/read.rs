use serde_json::Value;

use crate::helpers::{TestApp, order};

fn ids(orders: &Value) -> Vec<&str> {
    let orders = orders.as_array().unwrap().iter();
    orders
        .map(|order| order["order_id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn says_that_an_order_is_not_there() {
    let app = TestApp::spawn().await;
    let answer = app
        .get("/orders/0195f5a0-0000-7000-8000-000000000000")
        .await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["detail"], "there is no order with this id");
}

#[tokio::test]
async fn refuses_what_is_not_an_order_id() {
    let app = TestApp::spawn().await;
    for id in [
        "7",
        "not-an-id",
        // Of version 4.
        "9f1b4f6e-3c55-4c0e-8a3a-0d8bb4a9b7c1",
        "%00",
        "'; drop table orders; --",
    ] {
        let answer = app.get(&format!("/orders/{id}")).await;
        assert_eq!(answer.status, 400, "{id}");
        assert_eq!(
            answer.body["detail"],
            "order id must be a UUID of version 7"
        );
    }
}

#[tokio::test]
async fn lists_the_newest_first_and_both_lists_alike() {
    let app = TestApp::spawn().await;
    assert_eq!(ids(&app.get("/orders").await.body), [""; 0]);
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.insert(0, app.post(&order()).await.body);
    }
    for path in ["/orders", "/orders-nplus1"] {
        let all = app.get(path).await;
        assert_eq!((all.status, all.body), (200, Value::from(placed.clone())));
        let two = app.get(&format!("{path}?limit=2")).await.body;
        assert_eq!(two, Value::from(placed[..2].to_vec()), "{path}");
    }
}

#[tokio::test]
async fn lists_twenty_unless_asked_for_more() {
    let app = TestApp::spawn().await;
    for _ in 0..21 {
        app.place().await;
    }
    for path in ["/orders", "/orders-nplus1"] {
        assert_eq!(ids(&app.get(path).await.body).len(), 20);
        let most = app.get(&format!("{path}?limit=200")).await;
        assert_eq!(ids(&most.body).len(), 21);
    }
}

#[tokio::test]
async fn refuses_a_limit_out_of_bounds() {
    let app = TestApp::spawn().await;
    for path in ["/orders", "/orders-nplus1"] {
        for limit in ["0", "-1", "201", "1e2", "99999999999999999999", "", "two"] {
            let answer = app.get(&format!("{path}?limit={limit}")).await;
            assert_eq!(answer.status, 400, "{path} {limit}");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("limit"), "{detail}");
        }
        assert_eq!(app.get(&format!("{path}?page=2")).await.status, 400);
    }
}
