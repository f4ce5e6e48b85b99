//! A router with a route for each kind of mistake, asked directly or served.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use web::{Limits, Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Basket {
    #[serde(rename = "items")]
    _items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    #[serde(rename = "a/b")]
    _a_b: u8,
    #[serde(default, rename = "name")]
    _name: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    limit: u8,
}

pub(crate) fn routes() -> Router {
    web::api(
        Router::new()
            .route(
                "/baskets",
                post(|_: web::Json<Basket>| async { StatusCode::CREATED }),
            )
            .route(
                "/items/{number}",
                get(|web::Path(number): web::Path<u8>| async move { number.to_string() }),
            )
            .route(
                "/items",
                get(|web::Query(page): web::Query<Page>| async move { page.limit.to_string() }),
            )
            .route(
                "/panic",
                get(|| async { panic!("on purpose") as StatusCode }),
            )
            .route(
                "/unexpected",
                get(|| async { Problem::unexpected(std::io::Error::other("secret")) }),
            ),
    )
}

pub(crate) fn json(body: impl Into<Body>) -> Request<Body> {
    Request::post("/baskets")
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

pub(crate) fn of(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).unwrap()
}

pub(crate) async fn answer(request: Request<Body>) -> Response<Body> {
    routes().oneshot(request).await.unwrap()
}

/// The status and the document of a request that goes wrong.
pub(crate) async fn problem(request: Request<Body>) -> (u16, Value) {
    document(answer(request).await).await
}

pub(crate) async fn document(response: Response<Body>) -> (u16, Value) {
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let status = response.status().as_u16();
    let document = body(response).await;
    assert_eq!(document["status"], status);
    assert_eq!(document["type"], "about:blank");
    assert!(document["title"].is_string());
    (status, document)
}

pub(crate) async fn body(response: Response<Body>) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

/// A served router, and what stops it.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) server: JoinSet<anyhow::Result<()>>,
}

pub(crate) async fn serve(router: Router, drain: Duration) -> Served {
    serve_within(router, drain, Limits::default()).await
}

pub(crate) async fn serve_within(router: Router, drain: Duration, limits: Limits) -> Served {
    let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let mut server = JoinSet::new();
    let serving = web::serve_within(listener, router, shutdown.clone(), drain, limits);
    server.spawn(serving);
    Served {
        address,
        shutdown,
        server,
    }
}
