use futures::future::join_all;
use serde_json::{Value, json};
use web::testing::until;

use crate::helpers::{Answer, TestApp, order};
use crate::kafka::CREATED;

async fn post(app: &TestApp, order: &Value, keys: &[&[u8]]) -> Answer {
    let mut request = app.service.to_orders().json(order);
    for key in keys {
        request = request.header("idempotency-key", *key);
    }
    app.service.send(request).await
}

async fn orders(app: &TestApp) -> usize {
    app.get("/orders?limit=200")
        .await
        .body
        .as_array()
        .unwrap()
        .len()
}

#[tokio::test]
async fn the_same_key_and_order_are_answered_as_before_also_when_the_order_has_gone_on() {
    let app = TestApp::spawn().await;
    let first = post(&app, &order(), &[b"\"one\""]).await;
    let id = first.body["order_id"].as_str().unwrap();
    app.found(id, "short").await;
    app.until_status(id, "rejected").await;
    // The same as parsed: spaces, the order of fields and how the key is spelt are nothing.
    let again = json!({"note": "ring twice", "items": order()["items"], "customer_id": "vip-ada"});
    for key in [b"\"one\"".as_slice(), b"one"] {
        let repeated = post(&app, &again, &[key]).await;
        assert_eq!((repeated.status, &repeated.body), (201, &first.body));
        assert_eq!(repeated.headers["location"], first.headers["location"]);
    }
    assert_eq!(orders(&app).await, 1);
    app.until_the_outbox_is_empty().await;
    assert_eq!(app.kafka.count(CREATED).await, 1);
}

#[tokio::test]
async fn requests_side_by_side_with_one_key_place_one_order() {
    let app = TestApp::spawn().await;
    let second = app.second().await;
    let request = order();
    let answers = join_all((0..40).map(|n| {
        let service = if n % 2 == 0 { &app.service } else { &second };
        let sent = service
            .to_orders()
            .json(&request)
            .header("idempotency-key", "\"k\"");
        service.send(sent)
    }))
    .await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
    }
    assert_eq!(orders(&app).await, 1);
}

#[tokio::test]
async fn the_same_key_with_another_order_is_refused() {
    let app = TestApp::spawn().await;
    post(&app, &order(), &[b"\"one\""]).await;
    for (pointer, value) in [
        ("/note", json!("ring once")),
        ("/customer_id", json!("ada")),
        ("/items/0/quantity", json!(3)),
        ("/items/1/price", json!(598)),
    ] {
        let mut other = order();
        *other.pointer_mut(pointer).unwrap() = value;
        let refused = post(&app, &other, &[b"\"one\""]).await;
        assert_eq!(refused.status, 422, "{pointer}");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("Idempotency-Key"), "{detail}");
    }
    assert_eq!(orders(&app).await, 1);
    let other_key = post(&app, &order(), &[b"\"two\""]).await;
    assert_eq!((other_key.status, orders(&app).await), (201, 2));
}

#[tokio::test]
async fn a_header_that_is_no_key_is_refused_by_its_name() {
    let app = TestApp::spawn().await;
    let long = "k".repeat(256);
    let wrong: [&[&[u8]]; 8] = [
        &[b""],
        &[b"\"\""],
        &[b"\"one"],
        &[b"one, two"],
        &[b"\"one\";a=1"],
        &["schl\u{fc}ssel".as_bytes()],
        &[long.as_bytes()],
        &[b"\"one\"", b"\"one\""],
    ];
    for keys in wrong {
        let refused = post(&app, &order(), keys).await;
        assert_eq!(refused.status, 400, "{keys:?}");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("Idempotency-Key"), "{detail}");
    }
    assert_eq!(orders(&app).await, 0);
    let longest = format!("\"{}\"", "k".repeat(255));
    assert_eq!(
        post(&app, &order(), &[longest.as_bytes()]).await.status,
        201
    );
}

#[tokio::test]
async fn a_request_that_is_refused_uses_no_key_up() {
    let app = TestApp::spawn().await;
    let mut wrong = order();
    wrong["items"] = json!([]);
    assert_eq!(post(&app, &wrong, &[b"\"one\""]).await.status, 422);
    assert_eq!(post(&app, &order(), &[b"\"one\""]).await.status, 201);
}

#[tokio::test]
async fn a_key_counts_for_a_day_and_is_forgotten() {
    let app = TestApp::spawn().await;
    let first = post(&app, &order(), &[b"\"one\""]).await;
    app.sql("update idempotency_keys set created_at = now() - interval '23 hours 59 minutes'")
        .await;
    let repeated = post(&app, &order(), &[b"\"one\""]).await;
    assert_eq!(repeated.body, first.body);
    app.sql("update idempotency_keys set created_at = now() - interval '24 hours 1 minute'")
        .await;
    let anew = post(&app, &order(), &[b"\"one\""]).await;
    assert_eq!(anew.status, 201);
    assert_ne!(anew.body["order_id"], first.body["order_id"]);
    let repeated = post(&app, &order(), &[b"\"one\""]).await;
    assert_eq!(repeated.body, anew.body);

    app.sql("update idempotency_keys set created_at = now() - interval '26 hours'")
        .await;
    // What starts looks at once.
    let _next = app.second().await;
    until(async || {
        let keys = sqlx::query_scalar("select count(*) from idempotency_keys");
        let keys: i64 = keys.fetch_one(&app.database).await.unwrap();
        (keys == 0).then_some(())
    })
    .await;
}
