use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::helpers::{TestApp, an_order, problem};

#[tokio::test]
async fn passes_an_order_on_and_its_answer_back() {
    let orders = Router::new().route(
        "/orders",
        post(|Json(order): Json<Value>| async {
            (
                StatusCode::CREATED,
                [("location", "/orders/7"), ("x-internal", "1")],
                Json(order),
            )
        }),
    );
    let app = TestApp::spawn(orders, Router::new()).await;
    let response = app.post("/orders").json(&an_order()).send().await.unwrap();
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["location"], "/orders/7");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(!response.headers().contains_key("x-internal"));
    assert_eq!(response.json::<Value>().await.unwrap(), an_order());
}

#[tokio::test]
async fn passes_each_idempotency_key_on_as_it_came_and_the_refusal_back() {
    // Tells back what came.
    let orders = Router::new().route(
        "/orders",
        post(|headers: HeaderMap| async move {
            let keys = headers.get_all("idempotency-key").iter();
            let keys: Vec<_> = keys.map(|key| key.as_bytes().to_vec()).collect();
            (StatusCode::UNPROCESSABLE_ENTITY, Json(keys))
        }),
    );
    let app = TestApp::spawn(orders, Router::new()).await;
    let cases: [&[&[u8]]; 4] = [
        &[],
        &[b"\"8e03978e-40d5-43dd-bc93-6894a57f9324\""],
        &[b"one", b"\"two\""],
        &[b"", "schl\u{fc}ssel".as_bytes()],
    ];
    for keys in cases {
        let mut request = app.post("/orders").json(&an_order());
        for key in keys {
            request = request.header("idempotency-key", *key);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 422);
        assert_eq!(response.json::<Vec<Vec<u8>>>().await.unwrap(), keys);
    }
}

#[tokio::test]
async fn stops_at_the_door_what_is_no_order() {
    // No route: whatever gets through is answered 404.
    let app = TestApp::spawn(Router::new(), Router::new()).await;
    let with = |pointer: &str, value: Value| {
        let mut order = an_order();
        *order.pointer_mut(pointer).unwrap() = value;
        order
    };
    for (pointer, value) in [
        ("/items", json!([])),
        ("/items/0", json!(["ITEM-001", 1, 100])),
        ("/items/0/quantity", json!(0)),
        ("/items/0/quantity", json!(-1)),
        ("/items/0/quantity", json!(1_000_000_000_000_i64)),
        ("/items/0/quantity", json!("two")),
        ("/items/0/price", json!(1.5)),
        ("/items/0/item_id", json!("../ITEM-001")),
        ("/customer_id", json!("jane@example.com")),
        ("/note", json!("\u{0}")),
    ] {
        let (status, problem) = problem(app.post("/orders").json(&with(pointer, value))).await;
        assert_eq!(status, 422, "{pointer}");
        assert_eq!(problem["errors"][0]["pointer"], format!("#{pointer}"));
    }
    let (status, array) = problem(
        app.post("/orders")
            .json(&json!(["jane", [an_order()["items"][0]]])),
    )
    .await;
    assert_eq!(status, 422);
    assert_eq!(array["detail"], "the body must be an object, not an array");
    let malformed = app
        .post("/orders")
        .header("content-type", "application/json")
        .body("{\"customer_id\":");
    assert_eq!(problem(malformed).await.0, 400);
    assert_eq!(problem(app.post("/orders").body("{}")).await.0, 415);
    let large = app
        .post("/orders")
        .header("content-type", "application/json")
        .body(vec![b' '; 10_000_000]);
    assert_eq!(problem(large).await.0, 413);
}

#[tokio::test]
async fn takes_an_order_whatever_its_traceparent() {
    let orders = Router::new().route("/orders", post(|| async { StatusCode::CREATED }));
    let app = TestApp::spawn(orders, Router::new()).await;
    for traceparent in [
        "garbage",
        "00-00000000000000000000000000000000-0000000000000000-01",
        "",
    ] {
        let request = app
            .post("/orders")
            .json(&an_order())
            .header("traceparent", traceparent);
        assert_eq!(request.send().await.unwrap().status(), 201, "{traceparent}");
    }
}

#[tokio::test]
async fn finds_an_order_by_its_id() {
    let found = get(|Path(id): Path<String>| async move { Json(json!({"order_id": id})) });
    let app = TestApp::spawn(Router::new().route("/orders/{id}", found), Router::new()).await;
    let id = domain::OrderId::generate();
    let order: Value = app
        .get(&format!("/orders/{id}"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(order, json!({"order_id": id}));
    assert_eq!(problem(app.get("/orders/7")).await.0, 400);
}

#[tokio::test]
async fn passes_the_query_of_a_list_on() {
    let list = get(|RawQuery(query): RawQuery| async { query.unwrap_or_default() });
    let orders = Router::new()
        .route("/orders", list.clone())
        .route("/orders-nplus1", list);
    let app = TestApp::spawn(orders, Router::new()).await;
    for path in ["/orders", "/orders-nplus1"] {
        for query in ["", "limit=3&status=in_review", "limit=%00&x=%26"] {
            let response = app.get(&format!("{path}?{query}")).send().await.unwrap();
            assert_eq!(response.text().await.unwrap(), query);
        }
    }
}

#[tokio::test]
async fn names_the_field_of_a_number_that_no_type_can_hold() {
    let app = TestApp::spawn(Router::new(), Router::new()).await;
    let body =
        r#"{"customer_id":"jane","items":[{"item_id":"ITEM-001","quantity":1e400,"price":1}]}"#;
    let request = app
        .post("/orders")
        .header("content-type", "application/json");
    let (status, document) = problem(request.body(body)).await;
    assert_eq!(status, 422, "{document}");
    assert_eq!(document["errors"][0]["pointer"], "#/items/0/quantity");
}
