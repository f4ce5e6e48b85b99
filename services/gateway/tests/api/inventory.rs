use axum::Router;
use axum::extract::Path;
use axum::routing::get;

use crate::helpers::{TestApp, problem};

#[tokio::test]
async fn finds_an_item_by_its_id() {
    let stock = Router::new().route(
        "/stock/{item_id}",
        get(|Path(item): Path<String>| async { item }),
    );
    let app = TestApp::spawn(Router::new(), stock).await;
    let response = app.get("/inventory/ITEM-001").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "ITEM-001");
    assert_eq!(problem(app.get("/inventory/a%20b")).await.0, 400);
}
