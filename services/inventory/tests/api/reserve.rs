use domain::OrderId;
use futures::future::join_all;
use serde_json::json;

use crate::helpers::TestApp;

#[tokio::test]
async fn reserves_pieces_once_however_often_it_is_asked() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    let first = app.reserve("ITEM-010", order, 2).await;
    let expected =
        json!({"order_id": order, "item_id": "ITEM-010", "quantity": 2, "status": "reserved"});
    assert_eq!(first, (200, expected));
    assert_eq!(app.reserve("ITEM-010", order, 2).await, first);
    assert_eq!(app.pieces("ITEM-010").await, (3, 2));
}

#[tokio::test]
async fn stands_by_a_refusal_even_when_there_is_stock_again() {
    let app = TestApp::spawn().await;
    let (many, few) = (OrderId::generate(), OrderId::generate());
    assert_eq!(app.reserve("ITEM-010", few, 1).await.0, 200);
    let (status, problem) = app.reserve("ITEM-010", many, 5).await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &json!("urn:orderflow:out-of-stock"))
    );
    assert_eq!(app.release("ITEM-010", few).await.0, 200);
    assert_eq!(app.reserve("ITEM-010", many, 5).await.0, 409);
    assert_eq!(app.pieces("ITEM-010").await, (5, 0));
}

#[tokio::test]
async fn refuses_another_quantity_for_the_same_order() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    app.reserve("ITEM-010", order, 2).await;
    let (status, problem) = app.reserve("ITEM-010", order, 3).await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &json!("urn:orderflow:other-quantity"))
    );
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("asked for 2 of ITEM-010")
    );
    assert_eq!(app.pieces("ITEM-010").await, (3, 2));
}

#[tokio::test]
async fn does_not_reserve_what_it_does_not_know() {
    let app = TestApp::spawn().await;
    let (status, problem) = app.reserve("ITEM-999", OrderId::generate(), 1).await;
    assert_eq!(
        (status, &problem["detail"]),
        (404, &json!("there is no item ITEM-999"))
    );
}

#[tokio::test]
async fn names_the_field_that_is_wrong() {
    let app = TestApp::spawn().await;
    for (body, pointer) in [
        (
            json!({"order_id": OrderId::generate(), "quantity": 0}),
            "#/quantity",
        ),
        (json!({"order_id": "x", "quantity": 1}), "#/order_id"),
        (json!({"quantity": 1}), "#/order_id"),
        (json!([OrderId::generate(), 1]), "#"),
    ] {
        let (status, problem) = app.post("/stock/ITEM-001/reserve", &body).await;
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!(pointer))
        );
    }
}

#[tokio::test]
async fn gives_the_last_pieces_to_as_many_as_there_are_and_not_one_more() {
    let app = TestApp::spawn().await;
    let orders: Vec<_> = (0..50).map(|_| OrderId::generate()).collect();
    // Each asks twice at once, as a caller does whose first answer got lost.
    let asked = orders.iter().flat_map(|&order| [order, order]);
    let answers = join_all(asked.map(|order| app.reserve("ITEM-010", order, 1))).await;
    let statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    assert!(
        statuses.chunks(2).all(|twice| twice[0] == twice[1]),
        "{statuses:?}"
    );
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 90);
    assert_eq!(app.pieces("ITEM-010").await, (0, 5));
}
