use serde_json::json;

use crate::helpers::TestApp;

#[tokio::test]
async fn an_order_goes_forwards_and_stays_there() {
    let app = TestApp::spawn().await;
    // Where the order is taken first, what is asked then, and what is answered to that.
    for (first, then, answer) in [
        ("confirmed", "confirmed", 204),
        ("confirmed", "rejected", 409),
        ("confirmed", "pending", 409),
        ("rejected", "confirmed", 409),
        ("failed", "in_review", 409),
        ("failed", "failed", 204),
        ("in_review", "confirmed", 204),
        ("in_review", "rejected", 204),
        ("in_review", "failed", 409),
    ] {
        let id = app.place().await;
        assert_eq!(
            app.change_status(&id, &json!({"status": first}))
                .await
                .status,
            204
        );
        let changed = app.change_status(&id, &json!({"status": then})).await;
        assert_eq!(changed.status, answer, "{first} → {then}");
        let expected = if answer == 204 { then } else { first };
        let order = app.get(&format!("/orders/{id}")).await.body;
        assert_eq!(order["status"], expected, "{first} → {then}");
    }
}

#[tokio::test]
async fn a_change_moves_the_time_of_the_last_change_and_no_change_does_not() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    let read = async || app.get(&format!("/orders/{id}")).await.body["updated_at"].clone();
    let placed = read().await;
    app.change_status(&id, &json!({"status": "pending"})).await;
    assert_eq!(read().await, placed);
    app.change_status(&id, &json!({"status": "confirmed"}))
        .await;
    let changed = read().await;
    assert_ne!(changed, placed);
    app.change_status(&id, &json!({"status": "confirmed"}))
        .await;
    assert_eq!(read().await, changed);
}

#[tokio::test]
async fn a_refusal_says_where_the_order_is() {
    let app = TestApp::spawn().await;
    let id = app.place().await;
    app.change_status(&id, &json!({"status": "rejected"})).await;
    let refused = app
        .change_status(&id, &json!({"status": "confirmed"}))
        .await;
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("the order is rejected"), "{detail}");
}

#[tokio::test]
async fn refuses_an_unknown_order_and_an_unknown_status() {
    let app = TestApp::spawn().await;
    let confirmed = json!({"status": "confirmed"});
    let unknown = "0195f5a0-0000-7000-8000-000000000000";
    assert_eq!(app.change_status(unknown, &confirmed).await.status, 404);
    assert_eq!(app.change_status("7", &confirmed).await.status, 400);

    let id = app.place().await;
    for (body, pointer) in [
        (json!({"status": "sent"}), "#/status"),
        (json!({"status": ""}), "#/status"),
        (json!({}), "#/status"),
        (json!(["confirmed"]), "#"),
        (
            json!({"status": "confirmed", "category": "gift"}),
            "#/category",
        ),
    ] {
        let answer = app.change_status(&id, &body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    let order = app.get(&format!("/orders/{id}")).await.body;
    assert_eq!(order["status"], "pending");
}
