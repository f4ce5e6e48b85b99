use std::future::pending;

use http::StatusCode;
use tower::ServiceExt;
use web::Readiness;

use crate::helpers::{document, of};

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
