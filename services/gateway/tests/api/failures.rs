use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use crate::helpers::{TestApp, an_order, problem};

#[tokio::test]
async fn passes_a_problem_of_the_callers_making_through() {
    let answer = || async {
        let problem =
            json!({"title": "Not Found", "status": 404, "detail": "there is no item ITEM-999"});
        (
            StatusCode::NOT_FOUND,
            [("content-type", "application/problem+json")],
            Json(problem),
        )
    };
    // The tuple's headers come after the body's own.
    let stock = Router::new().route("/stock/{item_id}", get(answer));
    let app = TestApp::spawn(Router::new(), stock).await;
    let (status, problem) = problem(app.get("/inventory/ITEM-999")).await;
    assert_eq!(
        (status, &problem["detail"]),
        (404, &json!("there is no item ITEM-999"))
    );
}

#[tokio::test]
async fn names_a_service_that_fails_and_keeps_its_reasons_and_its_order_to_itself() {
    let asked = Arc::new(AtomicUsize::new(0));
    let fail = {
        let asked = asked.clone();
        move || async move {
            asked.fetch_add(1, Ordering::SeqCst);
            (StatusCode::INTERNAL_SERVER_ERROR, "the password is hunter2")
        }
    };
    let app = TestApp::spawn(Router::new().route("/orders", post(fail)), Router::new()).await;
    let (status, problem) = problem(app.post("/orders").json(&an_order())).await;
    assert_eq!((status, &problem["detail"]), (502, &json!("orders failed")));
    assert!(!problem.to_string().contains("hunter2"));
    assert_eq!(
        asked.load(Ordering::SeqCst),
        1,
        "an order must not be sent twice"
    );
}

#[tokio::test]
async fn names_a_service_that_is_not_there() {
    let app = TestApp::spawn_alone().await;
    let (status, document) = problem(app.post("/orders").json(&an_order())).await;
    assert_eq!(
        (status, &document["detail"]),
        (503, &json!("orders cannot be reached"))
    );
    let (status, document) = problem(app.get("/inventory/ITEM-001")).await;
    assert_eq!(
        (status, &document["detail"]),
        (503, &json!("inventory cannot be reached"))
    );
}

#[tokio::test]
async fn passes_on_that_a_service_is_unavailable() {
    let away = || async { StatusCode::SERVICE_UNAVAILABLE };
    let app = TestApp::spawn(Router::new().route("/orders", get(away)), Router::new()).await;
    let (status, problem) = problem(app.get("/orders")).await;
    assert_eq!(
        (status, &problem["detail"]),
        (503, &json!("orders is unavailable"))
    );
}

#[tokio::test]
async fn names_a_service_that_takes_too_long() {
    let orders = Router::new().route("/orders", get(pending::<()>));
    let app = TestApp::spawn_with(orders, Router::new(), &["--gateway-timeout-ms", "50"]).await;
    let (status, problem) = problem(app.get("/orders")).await;
    assert_eq!(
        (status, &problem["detail"]),
        (504, &json!("orders did not answer in time"))
    );
}

#[tokio::test]
async fn knows_no_other_places_and_methods() {
    let app = TestApp::spawn(Router::new(), Router::new()).await;
    assert_eq!(problem(app.get("/")).await.0, 404);
    assert_eq!(problem(app.get("/stock/ITEM-001")).await.0, 404);
    assert_eq!(problem(app.post("/inventory/ITEM-001")).await.0, 405);
}
