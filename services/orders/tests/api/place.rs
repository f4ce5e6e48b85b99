use serde_json::{Value, json};
use telemetry::testing::attribute;

use crate::helpers::{TestApp, order, trace};
use crate::kafka::CREATED;

#[tokio::test]
async fn answers_with_the_order_and_where_it_is() {
    let app = TestApp::spawn().await;
    let answer = app.post(&order()).await;
    assert_eq!(answer.status, 201);
    let id = answer.body["order_id"].as_str().unwrap();
    assert_eq!(answer.headers["location"], format!("/orders/{id}"));
    let created_at = &answer.body["created_at"];
    let expected = json!({
        "order_id": id, "customer_id": "vip-ada", "status": "pending", "category": null, "reason": null,
        "items": order()["items"], "note": "ring twice", "total": 2 * 2999 + 599, "trace_id": answer.trace().0,
        "created_at": created_at, "updated_at": created_at,
    });
    assert_eq!(answer.body, expected);
    assert_eq!(app.get(&format!("/orders/{id}")).await.body, expected);
}

#[tokio::test]
async fn tells_the_event_on_kafka_under_the_id_of_the_order() {
    let app = TestApp::spawn().await;
    let placed = app.post(&order()).await.body;
    let [record] = &app.kafka.records(CREATED, 1).await[..] else {
        panic!("one order, one record");
    };
    assert_eq!(record.key, placed["order_id"]);
    let expected = json!({
        "order_id": placed["order_id"], "customer_id": "vip-ada", "items": order()["items"],
        "note": "ring twice", "created_at": placed["created_at"],
    });
    assert_eq!(record.payload, expected);
}

#[tokio::test]
async fn the_event_carries_the_trace_of_the_request_and_its_baggage() {
    let app = TestApp::spawn().await;
    let answer = app.post(&order()).await;
    let (trace_id, server_span) = answer.trace();
    assert_eq!(answer.body["trace_id"], trace_id);

    let record = app.kafka.records(CREATED, 1).await.remove(0);
    let send = app.recorder.span("send order.created");
    let expected = (trace_id, send.span_context.span_id().to_string());
    assert_eq!(trace(&record.headers["traceparent"]), expected);
    assert_eq!(send.parent_span_id.to_string(), server_span);
    let order_id = answer.body["order_id"].as_str().unwrap();
    let baggage = &record.headers["baggage"];
    assert!(
        baggage.contains(&format!("order.id={order_id}")),
        "{baggage}"
    );
    assert!(baggage.contains("customer.tier=vip"), "{baggage}");
}

#[tokio::test]
async fn one_statement_below_the_request_writes_everything() {
    let app = TestApp::spawn().await;
    let answer = app.post(&order()).await;
    let (_, server_span) = answer.trace();
    let spans = app.recorder.spans().into_iter();
    let statements: Vec<_> = spans
        .filter(|span| attribute(span, "db.system.name").is_some())
        .map(|span| (span.name.to_string(), span.parent_span_id.to_string()))
        .collect();
    assert_eq!(statements, [("INSERT orders".to_owned(), server_span)]);
    let server = app.recorder.span("POST /orders");
    let id = attribute(&server, "orderflow.order.id");
    assert_eq!(id.as_deref(), answer.body["order_id"].as_str());
}

#[tokio::test]
async fn keeps_two_lines_of_one_item_as_they_came() {
    let app = TestApp::spawn().await;
    let mut twice = order();
    twice["items"] = json!([
        {"item_id": "ITEM-003", "quantity": 2, "price": 10},
        {"item_id": "ITEM-001", "quantity": 1, "price": 7},
        {"item_id": "ITEM-003", "quantity": 5, "price": 20},
    ]);
    let placed = app.post(&twice).await;
    assert_eq!(placed.status, 201);
    assert_eq!(placed.body["items"], twice["items"]);
    assert_eq!(placed.body["total"], 2 * 10 + 7 + 5 * 20);
    let id = placed.body["order_id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/orders/{id}")).await.body, placed.body);
}

#[tokio::test]
async fn takes_an_item_that_nobody_knows_and_every_note_that_is_text() {
    let app = TestApp::spawn().await;
    let mut unusual = order();
    unusual["items"][0]["item_id"] = json!("ITEM-999");
    for note in ["", "zwölf Gläser\n\t🎁 'quoted' \\", &"ü".repeat(1000)] {
        unusual["note"] = json!(note);
        let placed = app.post(&unusual).await;
        assert_eq!(placed.status, 201);
        let id = placed.body["order_id"].as_str().unwrap();
        assert_eq!(app.get(&format!("/orders/{id}")).await.body["note"], note);
    }
}

#[tokio::test]
async fn takes_an_order_without_a_note() {
    let app = TestApp::spawn().await;
    for note in [None, Some(Value::Null)] {
        let mut quiet = order();
        quiet.as_object_mut().unwrap().remove("note");
        quiet
            .as_object_mut()
            .unwrap()
            .extend(note.map(|note| ("note".to_owned(), note)));
        let placed = app.post(&quiet).await;
        assert_eq!((placed.status, &placed.body["note"]), (201, &json!("")));
    }
}
