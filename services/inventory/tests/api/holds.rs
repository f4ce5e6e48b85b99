use domain::OrderId;
use futures::future::{join, join_all};
use serde_json::json;
use telemetry::testing::{Recorder, attribute};
use web::testing::until;

use crate::helpers::TestApp;

#[tokio::test]
async fn holds_pieces_once_however_often_it_is_asked() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    for items in [
        [("ITEM-010", 2), ("ITEM-001", 3)],
        [("ITEM-001", 3), ("ITEM-010", 2)],
    ] {
        let held = json!({"order_id": order, "status": "held"});
        assert_eq!(app.hold(order, &items).await, (200, held));
    }
    assert_eq!(app.pieces("ITEM-010").await, [3, 2, 0]);
    assert_eq!(app.pieces("ITEM-001").await, [999_997, 3, 0]);
    app.assert_balance().await;
}

#[tokio::test]
async fn holds_all_that_an_order_wants_or_nothing() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    for (items, expected, kind, detail) in [
        (
            [("ITEM-001", 1), ("ITEM-010", 6)],
            409,
            "urn:orderflow:out-of-stock",
            "ITEM-010 is out of stock",
        ),
        (
            [("ITEM-001", 1), ("ITEM-999", 1)],
            404,
            "urn:orderflow:unknown-item",
            "ITEM-999 is not in our catalogue",
        ),
        // What will never be there is named first.
        (
            [("ITEM-010", 6), ("ITEM-999", 1)],
            404,
            "urn:orderflow:unknown-item",
            "ITEM-999 is not in our catalogue",
        ),
    ] {
        let (status, problem) = app.hold(order, &items).await;
        assert_eq!(status, expected);
        assert_eq!(problem["type"], kind);
        assert_eq!(problem["detail"], detail);
    }
    assert_eq!(app.pieces("ITEM-001").await, [1_000_000, 0, 0]);
    assert_eq!(app.pieces("ITEM-010").await, [5, 0, 0]);
}

#[tokio::test]
async fn does_not_remember_a_refusal() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    assert_eq!(app.hold(order, &[("ITEM-010", 6)]).await.0, 409);
    assert_eq!(app.hold(order, &[("ITEM-999", 1)]).await.0, 404);
    assert_eq!(app.hold(order, &[("ITEM-010", 5)]).await.0, 200);
    assert_eq!(app.pieces("ITEM-010").await, [0, 5, 0]);
}

#[tokio::test]
async fn refuses_something_else_than_the_order_holds() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    app.hold(order, &[("ITEM-010", 2)]).await;
    for items in [
        vec![("ITEM-010", 3)],
        vec![("ITEM-001", 2)],
        vec![("ITEM-001", 2), ("ITEM-010", 2)],
        vec![("ITEM-999", 2)],
    ] {
        let (status, problem) = app.hold(order, &items).await;
        let kind = &problem["type"];
        assert_eq!(
            (status, kind),
            (409, &json!("urn:orderflow:holds-otherwise"))
        );
    }
    assert_eq!(app.pieces("ITEM-010").await, [3, 2, 0]);
    assert_eq!(app.pieces("ITEM-001").await, [1_000_000, 0, 0]);
}

#[tokio::test]
async fn names_the_field_that_is_wrong() {
    let app = TestApp::spawn().await;
    let order = OrderId::generate();
    let line = json!({"item_id": "ITEM-001", "quantity": 1});
    for (body, pointer) in [
        (
            json!({"order_id": order, "items": [{"item_id": "ITEM-001", "quantity": 0}]}),
            "#/items/0/quantity",
        ),
        (json!({"order_id": "x", "items": [line]}), "#/order_id"),
        (json!({"items": [line]}), "#/order_id"),
        (json!({"order_id": order, "items": []}), "#/items"),
        (json!({"order_id": order, "items": [line, line]}), "#/items"),
        (json!([order, [line]]), "#"),
    ] {
        let (status, problem) = app.post("/holds", &body).await;
        let wrong = &problem["errors"][0]["pointer"];
        assert_eq!((status, wrong), (422, &json!(pointer)), "{body}");
    }
}

#[tokio::test]
async fn gives_the_last_pieces_to_as_many_as_there_are_and_not_one_more() {
    let app = TestApp::spawn().await;
    let orders: Vec<_> = (0..50).map(|_| OrderId::generate()).collect();
    // Each asks twice at once, as a caller does whose first answer got lost.
    let asked = orders.iter().flat_map(|&order| [order, order]);
    let answers = join_all(asked.map(|order| app.hold(order, &[("ITEM-010", 1)]))).await;
    let statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    assert!(
        statuses.chunks(2).all(|twice| twice[0] == twice[1]),
        "{statuses:?}"
    );
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 90);
    assert_eq!(app.pieces("ITEM-010").await, [0, 5, 0]);
    app.assert_balance().await;
}

#[tokio::test]
async fn orders_that_want_the_same_items_in_another_order_do_not_wait_in_a_circle() {
    let app = TestApp::spawn().await;
    let items = ["ITEM-001", "ITEM-002", "ITEM-003", "ITEM-004"].map(|item| (item, 1));
    let orders = (0..200).map(|n| {
        let mut items = items;
        items.rotate_left(n % 4);
        if n % 2 == 0 {
            items.reverse();
        }
        items
    });
    let holds = orders.map(async |items| app.hold(OrderId::generate(), &items).await.0);
    assert_eq!(join_all(holds).await, [200; 200]);
    for (item, _) in items {
        assert_eq!(app.pieces(item).await, [999_800, 200, 0]);
    }
    app.assert_balance().await;
}

#[tokio::test]
async fn gets_pieces_that_came_back_while_it_waited_for_them() {
    let app = TestApp::spawn().await;
    let first = OrderId::generate();
    assert_eq!(app.hold(first, &[("ITEM-010", 5)]).await.0, 200);
    let mut release = app.database.begin().await.unwrap();
    let sql = "update stock set available = 5, held = 0 where item_id = 'ITEM-010'";
    sqlx::query(sql).execute(&mut *release).await.unwrap();

    let recorder = Recorder::start();
    let released = async {
        let waiting = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        until(async || (app.count(waiting).await == 1).then_some(())).await;
        release.commit().await.unwrap();
    };
    let second = OrderId::generate();
    let (held, ()) = join(app.hold(second, &[("ITEM-010", 5)]), released).await;
    assert_eq!(held.0, 200);
    assert_eq!(app.pieces("ITEM-010").await, [0, 5, 0]);
    let statement = recorder.span("UPDATE stock");
    assert_eq!(attribute(&statement, "error.type"), None);
}
