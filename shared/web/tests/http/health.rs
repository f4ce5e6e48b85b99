use std::future::pending;

use http::StatusCode;
use serde_json::json;
use tower::ServiceExt;
use web::{Awaited, Readiness};

use crate::helpers::{body, document, of};

#[tokio::test]
async fn is_ready_when_its_dependencies_answer() {
    let health = web::health(
        Readiness::new().check("PostgreSQL", (), |()| async { Ok::<_, std::io::Error>(()) }),
    );
    for uri in ["/healthz", "/readyz"] {
        let response = health.clone().oneshot(of(uri)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_each_dependency_that_does_not_answer() {
    let readiness = Readiness::new()
        .check("PostgreSQL", (), |()| async {
            Err(std::io::Error::other("password: hunter2"))
        })
        .check("orders", (), |()| pending::<Result<(), std::io::Error>>())
        .check("inventory", (), |()| async { Ok::<_, std::io::Error>(()) });
    let health = web::health(readiness);
    let alive = health.clone().oneshot(of("/healthz")).await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK);
    let (status, document) = document(health.oneshot(of("/readyz")).await.unwrap()).await;
    assert_eq!(status, 503);
    assert_eq!(document["detail"], "not ready: PostgreSQL, orders");
}

#[tokio::test(start_paused = true)]
async fn is_degraded_without_what_it_can_do_without() {
    let readiness = Readiness::new()
        .check("PostgreSQL", (), |()| async { Ok::<_, std::io::Error>(()) })
        .degraded_without("Kafka", (), |()| pending::<Result<(), std::io::Error>>())
        .degraded_without("Pub/Sub", (), |()| async { Ok::<_, std::io::Error>(()) });
    let health = web::health(readiness);
    let response = health.oneshot(of("/readyz")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        body(response).await,
        json!({"status": "degraded", "degraded": ["Kafka"]})
    );
}

#[tokio::test]
async fn names_what_is_degraded_beside_what_is_missing() {
    let away = || async { Err(std::io::Error::other("away")) };
    let readiness = Readiness::new()
        .degraded_without("Kafka", (), move |()| away())
        .check("PostgreSQL", (), move |()| away());
    let response = web::health(readiness).oneshot(of("/readyz")).await.unwrap();
    let (status, document) = document(response).await;
    assert_eq!(status, 503);
    assert_eq!(document["detail"], "not ready: PostgreSQL; degraded: Kafka");
}

#[tokio::test]
async fn is_degraded_until_what_comes_late_is_there() {
    let late = Awaited::new();
    let readiness =
        Readiness::new().degraded_without("Kafka", late.clone(), |late| async move { late.get() });
    let health = web::health(readiness);
    let before = health.clone().oneshot(of("/readyz")).await.unwrap();
    assert_eq!(body(before).await["status"], "degraded");
    late.set(());
    let after = health.oneshot(of("/readyz")).await.unwrap();
    assert_eq!(body(after).await, json!({"status": "ready"}));
}
