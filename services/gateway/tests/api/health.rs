use axum::Router;
use serde_json::{Value, json};

use crate::helpers::{TestApp, problem};

#[tokio::test]
async fn is_ready_when_both_services_are_up() {
    let app = TestApp::spawn(Router::new(), Router::new()).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(app.get(path).send().await.unwrap().status(), 200, "{path}");
    }
}

#[tokio::test]
async fn is_not_ready_but_alive_without_them() {
    let app = TestApp::spawn_alone().await;
    assert_eq!(app.get("/healthz").send().await.unwrap().status(), 200);
    let (status, problem) = problem(app.get("/readyz")).await;
    assert_eq!(
        (status, problem["detail"].as_str()),
        (503, Some("not ready: orders; degraded: inventory"))
    );
}

#[tokio::test]
async fn takes_orders_without_inventory_and_says_so() {
    let app = TestApp::spawn_without_inventory().await;
    let response = app.get("/readyz").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    let expected = json!({"status": "degraded", "degraded": ["inventory"]});
    assert_eq!(body, expected);
}
