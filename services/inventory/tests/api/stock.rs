use crate::helpers::TestApp;

#[tokio::test]
async fn lists_the_seeded_items() {
    let app = TestApp::spawn().await;
    let (status, items) = app.get("/stock").await;
    assert_eq!(status, 200);
    let ids: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["item_id"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = (1..=10).map(|n| format!("ITEM-{n:03}")).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn tells_about_one_item() {
    let app = TestApp::spawn().await;
    let (status, item) = app.get("/stock/ITEM-010").await;
    assert_eq!(status, 200);
    let expected = serde_json::json!({
        "item_id": "ITEM-010", "name": "desk lamp, the last five", "available": 5, "held": 0, "kept": 0,
        "price": 7900,
    });
    assert_eq!(item, expected);
}

#[tokio::test]
async fn does_not_know_every_item() {
    let app = TestApp::spawn().await;
    for (path, expected) in [
        ("/stock/ITEM-999", 404),
        ("/stock/a%20b", 400),
        ("/stock/..%2f", 400),
        ("/nothing", 404),
    ] {
        let (status, problem) = app.get(path).await;
        assert_eq!(status, expected, "{path}");
        assert_eq!(problem["status"], expected, "{path}");
        assert!(problem["detail"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn lives_and_is_ready_and_stops() {
    let app = TestApp::spawn().await;
    assert_eq!(app.get("/healthz").await.0, 200);
    assert_eq!(app.get("/readyz").await.0, 200);
    app.stop().await.unwrap();
}
