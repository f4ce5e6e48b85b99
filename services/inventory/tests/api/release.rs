use domain::OrderId;
use futures::future::join_all;
use serde_json::json;

use crate::helpers::TestApp;

#[tokio::test]
async fn gives_pieces_back_once_however_often_it_is_asked() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    app.reserve("ITEM-010", order, 2).await;
    let expected =
        json!({"order_id": order, "item_id": "ITEM-010", "quantity": 2, "status": "released"});
    for _ in 0..2 {
        assert_eq!(
            app.release("ITEM-010", order).await,
            (200, expected.clone())
        );
        assert_eq!(app.pieces("ITEM-010").await, (5, 0));
    }
    let (status, problem) = app.reserve("ITEM-010", order, 2).await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &json!("urn:orderflow:released"))
    );
}

#[tokio::test]
async fn keeps_a_reservation_from_being_made_that_comes_after_its_release() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    let (status, released) = app.release("ITEM-010", order).await;
    assert_eq!(
        (status, &released["quantity"], &released["status"]),
        (200, &json!(null), &json!("released"))
    );
    let (status, problem) = app.reserve("ITEM-010", order, 1).await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &json!("urn:orderflow:released"))
    );
    assert_eq!(app.pieces("ITEM-010").await, (5, 0));
}

#[tokio::test]
async fn leaves_a_refusal_as_it_is() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    assert_eq!(app.reserve("ITEM-010", order, 6).await.0, 409);
    let (status, released) = app.release("ITEM-010", order).await;
    assert_eq!((status, &released["status"]), (200, &json!("refused")));
    assert_eq!(app.pieces("ITEM-010").await, (5, 0));
}

#[tokio::test]
async fn does_not_release_what_it_does_not_know() {
    let app = TestApp::spawn().await;
    assert_eq!(app.release("ITEM-999", OrderId::generate()).await.0, 404);
}

#[tokio::test]
async fn refuses_an_array_in_the_place_of_the_body() {
    let app = TestApp::spawn().await;
    let body = json!([OrderId::generate()]);
    let (status, problem) = app.post("/stock/ITEM-001/release", &body).await;
    let expected = json!("the body must be an object, not an array");
    assert_eq!((status, &problem["detail"]), (422, &expected));
}

#[tokio::test]
async fn ends_released_whichever_of_two_requests_comes_first() {
    let app = TestApp::spawn().await;
    let orders: Vec<_> = (0..50).map(|_| OrderId::generate()).collect();
    let items = ["ITEM-001", "ITEM-002", "ITEM-003"];
    let pairs = orders
        .iter()
        .flat_map(|&order| items.map(|item| (order, item)));
    join_all(pairs.map(async |(order, item)| {
        let (reserved, released) =
            tokio::join!(app.reserve(item, order, 7), app.release(item, order));
        assert!(matches!(reserved.0, 200 | 409), "{reserved:?}");
        assert_eq!(released.0, 200);
    }))
    .await;
    for item in items {
        assert_eq!(app.pieces(item).await, (1_000_000, 0));
    }
}
