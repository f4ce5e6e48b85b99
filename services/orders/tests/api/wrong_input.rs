use serde_json::{Value, json};

use crate::helpers::{Answer, TestApp, order};
use crate::kafka::CREATED;

/// An order with the value at `pointer` replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut order = order();
    *order.pointer_mut(pointer).unwrap() = value;
    order
}

/// An order with another field in the object at `pointer`.
fn with_field(pointer: &str, name: &str) -> Value {
    let mut order = order();
    order.pointer_mut(pointer).unwrap()[name] = json!(1);
    order
}

fn without(pointer: &str, name: &str) -> Value {
    let mut order = order();
    let object = order.pointer_mut(pointer).unwrap().as_object_mut();
    object.unwrap().remove(name);
    order
}

fn assert_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["status"], status);
    assert!(answer.body["detail"].is_string());
}

async fn assert_nothing_was_kept(app: &TestApp) {
    assert_eq!(app.get("/orders").await.body, json!([]));
    assert_eq!(app.outbox_rows().await, 0);
    assert_eq!(app.kafka.count(CREATED).await, 0);
}

#[tokio::test]
async fn names_the_field_that_is_wrong() {
    let app = TestApp::spawn().await;
    let lines = |count| json!(vec![order()["items"][0].clone(); count]);
    for (body, pointer) in [
        (with("/items", json!([])), "#/items"),
        (with("/items", lines(101)), "#/items"),
        (with("/items", json!({})), "#/items"),
        (without("", "items"), "#/items"),
        (with("/items/0/quantity", json!(0)), "#/items/0/quantity"),
        (with("/items/1/quantity", json!(-1)), "#/items/1/quantity"),
        (
            with("/items/0/quantity", json!(1_000_000_000_000_i64)),
            "#/items/0/quantity",
        ),
        (with("/items/0/quantity", json!(1.5)), "#/items/0/quantity"),
        (with("/items/0/quantity", json!("2")), "#/items/0/quantity"),
        (without("/items/0", "quantity"), "#/items/0/quantity"),
        (with("/items/0/price", json!(-1)), "#/items/0/price"),
        (with("/items/0/price", json!(null)), "#/items/0/price"),
        (
            with("/items/0/item_id", json!("../etc")),
            "#/items/0/item_id",
        ),
        (with("/items/0/item_id", json!(1)), "#/items/0/item_id"),
        (with("/customer_id", json!("")), "#/customer_id"),
        (with("/customer_id", json!("a@b.example")), "#/customer_id"),
        (with("/customer_id", json!(7)), "#/customer_id"),
        (without("", "customer_id"), "#/customer_id"),
        (with("/note", json!("a\0b")), "#/note"),
        (with("/note", json!("x".repeat(1001))), "#/note"),
        (with("/note", json!([])), "#/note"),
        (with_field("", "coupon"), "#/coupon"),
        (with_field("/items/1", "size"), "#/items/1/size"),
        (with("/items/1", json!(["ITEM-001", 1, 100])), "#/items/1"),
        (json!(["jane", [["ITEM-001", 1, 100]]]), "#"),
        (json!([]), "#"),
        (json!(null), "#"),
    ] {
        let answer = app.post(&body).await;
        assert_problem(&answer, 422);
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    assert_nothing_was_kept(&app).await;
}

#[tokio::test]
async fn refuses_lines_of_one_item_that_add_up_to_too_much() {
    let app = TestApp::spawn().await;
    let line = json!({"item_id": "ITEM-001", "quantity": 600_000, "price": 1});
    let answer = app.post(&with("/items", json!([line, line]))).await;
    assert_problem(&answer, 422);
    assert_eq!(answer.pointers(), ["#/items"]);
}

#[tokio::test]
async fn refuses_what_is_not_json() {
    let app = TestApp::spawn().await;
    for body in ["", "{", "{\"customer_id\":", "order", "\u{feff}{}"] {
        let request = app.service.to_orders();
        let request = request
            .header("content-type", "application/json")
            .body(body);
        assert_problem(&app.service.send(request).await, 400);
    }
    let binary = app.service.to_orders().body(vec![0xff, 0x00, 0xfe]);
    let binary = binary.header("content-type", "application/json");
    assert_problem(&app.service.send(binary).await, 400);
    assert_nothing_was_kept(&app).await;
}

#[tokio::test]
async fn refuses_a_body_that_does_not_say_it_is_json() {
    let app = TestApp::spawn().await;
    let silent = app.service.to_orders().body(order().to_string());
    assert_problem(&app.service.send(silent).await, 415);
    let form = app.service.to_orders().body(order().to_string());
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    assert_problem(&app.service.send(form).await, 415);
    assert_nothing_was_kept(&app).await;
}

#[tokio::test]
async fn refuses_a_body_of_ten_megabytes() {
    let app = TestApp::spawn().await;
    let answer = app
        .post(&with("/note", json!("x".repeat(10_000_000))))
        .await;
    assert_problem(&answer, 413);
    assert_nothing_was_kept(&app).await;
}

#[tokio::test]
async fn a_garbage_traceparent_changes_nothing() {
    let app = TestApp::spawn().await;
    for garbage in ["garbage", "00-0-0-00", "", "ff-\u{e9}"] {
        let request = app.service.to_orders().json(&order());
        let request = request.header("traceparent", garbage);
        let request = request.header("baggage", "=,;=\u{e9}");
        assert_eq!(app.service.send(request).await.status, 201, "{garbage}");
    }
}

#[tokio::test]
async fn knows_no_other_path_and_no_other_method() {
    let app = TestApp::spawn().await;
    assert_problem(&app.get("/order").await, 404);
    assert_problem(&app.get("/orders/a/b/c").await, 404);
    assert_problem(&app.service.get("/orders/x/status").await, 405);
}
