#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use web::{Problem, Readiness};

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

fn routes() -> Router {
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

fn json(body: impl Into<Body>) -> Request<Body> {
    Request::post("/baskets")
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

fn of(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).unwrap()
}

async fn answer(request: Request<Body>) -> Response<Body> {
    routes().oneshot(request).await.unwrap()
}

/// The status and the document of a request that goes wrong.
async fn problem(request: Request<Body>) -> (u16, Value) {
    document(answer(request).await).await
}

async fn document(response: Response<Body>) -> (u16, Value) {
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let document: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(document["status"], status);
    assert_eq!(document["type"], "about:blank");
    assert!(document["title"].is_string());
    (status, document)
}

#[tokio::test]
async fn takes_a_body_that_parses() {
    let response = answer(json(r#"{"items":[{"a/b":1}]}"#)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn names_the_field_that_is_wrong() {
    for (body, pointer, detail) in [
        (
            r#"{"items":[{"a/b":1},{"a/b":"x"}]}"#,
            "#/items/1/a~1b",
            "invalid type: string \"x\", expected u8",
        ),
        (
            r#"{"items":[{"a/b":256}]}"#,
            "#/items/0/a~1b",
            "invalid value: integer `256`, expected u8",
        ),
        (r#"{"items":[{}]}"#, "#/items/0/a~1b", "missing field `a/b`"),
        ("{}", "#/items", "missing field `items`"),
        (
            r#"{"items":{}}"#,
            "#/items",
            "invalid type: map, expected a sequence",
        ),
        (
            r#"{"items":[],"ünknown":1}"#,
            "#/%C3%BCnknown",
            "unknown field `ünknown`, expected `items`",
        ),
        (
            r#"{"items":[{"size":1}]}"#,
            "#/items/0/size",
            "unknown field `size`, expected `a/b` or `name`",
        ),
        (
            r#"{"items":[],"items":[]}"#,
            "#/items",
            "duplicate field `items`",
        ),
        ("[]", "#", "the body must be an object, not an array"),
        (
            r#" [[{"a/b":1}]]"#,
            "#",
            "the body must be an object, not an array",
        ),
        (
            "1",
            "#",
            "invalid type: integer `1`, expected struct Basket",
        ),
    ] {
        let (status, document) = problem(json(body)).await;
        assert_eq!(status, 422, "{body}");
        assert_eq!(document["errors"][0]["pointer"], pointer, "{body}");
        assert_eq!(document["errors"][0]["detail"], detail, "{body}");
        assert_eq!(document["detail"], detail, "{body}");
    }
}

#[tokio::test]
async fn says_where_a_body_stops_being_json() {
    for (body, place) in [
        ("{\n\"items\": x}", "line 2 column 10"),
        ("", "line 1 column 0"),
        ("{} {}", "line 1 column 4"),
        (r#"{"items":[]} x"#, "line 1 column 14"),
        ("{\"items\":[", "line 1 column 10"),
    ] {
        let (status, document) = problem(json(body)).await;
        if body == "{} {}" {
            // The first value is already no basket.
            assert_eq!(status, 422);
            continue;
        }
        assert_eq!(status, 400, "{body}");
        let detail = document["detail"].as_str().unwrap();
        assert!(detail.ends_with(place), "{detail}");
    }
    assert_eq!(problem(json(vec![b'"', 0xff, b'"'])).await.0, 400);
    assert_eq!(problem(json("[".repeat(100_000))).await.0, 422);
}

#[tokio::test]
async fn tells_back_only_the_start_of_what_was_sent() {
    let body = format!(r#"{{"{}":1}}"#, "x".repeat(200_000));
    let (status, document) = problem(json(body)).await;
    assert_eq!(status, 422);
    assert!(document.to_string().len() < 2000);
}

#[tokio::test]
async fn wants_json_as_content_type() {
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "json",
        "",
    ] {
        let request = Request::post("/baskets").header("content-type", content_type);
        let (status, document) = problem(request.body("{}".into()).unwrap()).await;
        assert_eq!(status, 415, "{content_type}");
        assert!(
            document["detail"]
                .as_str()
                .unwrap()
                .contains("application/json")
        );
    }
    let request = Request::post("/baskets")
        .body(r#"{"items":[]}"#.into())
        .unwrap();
    assert_eq!(problem(request).await.0, 415);
    for content_type in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.basket+json",
    ] {
        let request = Request::post("/baskets").header("content-type", content_type);
        let response = answer(request.body(r#"{"items":[]}"#.into()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::CREATED, "{content_type}");
    }
}

#[tokio::test]
async fn refuses_a_body_of_more_than_256_kib() {
    let just_right = format!(r#"{{"items":[]{}}}"#, " ".repeat(256 * 1024 - 12));
    assert_eq!(just_right.len(), 256 * 1024);
    assert_eq!(
        answer(json(just_right.clone())).await.status(),
        StatusCode::CREATED
    );
    let (status, document) = problem(json(just_right + " ")).await;
    assert_eq!(status, 413);
    assert!(
        document["detail"]
            .as_str()
            .unwrap()
            .contains("262144 bytes")
    );
}

#[tokio::test]
async fn describes_paths_queries_methods_and_places_that_are_wrong() {
    for (request, status) in [
        (of("/items/x"), 400),
        (of("/items/%ff"), 400),
        (of("/items/999999"), 400),
        (of("/items"), 400),
        (of("/items?limit=many"), 400),
        (of("/nowhere"), 404),
        (of("/baskets"), 405),
        (Request::delete("/items").body(Body::empty()).unwrap(), 405),
    ] {
        let uri = request.uri().clone();
        let (answered, document) = problem(request).await;
        assert_eq!(answered, status, "{uri}");
        assert!(document["detail"].is_string(), "{uri}");
    }
    assert_eq!(answer(of("/items/7")).await.status(), StatusCode::OK);
    assert_eq!(answer(of("/items?limit=7")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn says_nothing_about_what_is_our_own_fault() {
    for uri in ["/panic", "/unexpected"] {
        let (status, document) = problem(of(uri)).await;
        assert_eq!(status, 500);
        let text = document.to_string();
        assert!(
            !text.contains("purpose") && !text.contains("secret"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn is_ready_when_its_dependencies_answer() {
    let health =
        web::health(Readiness::new().check("PostgreSQL", || async { Ok::<_, std::io::Error>(()) }));
    for uri in ["/healthz", "/readyz"] {
        let response = health.clone().oneshot(of(uri)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_each_dependency_that_does_not_answer() {
    let readiness = Readiness::new()
        .check("PostgreSQL", || async {
            Err(std::io::Error::other("password: hunter2"))
        })
        .check("orders", pending::<Result<(), std::io::Error>>)
        .check("inventory", || async { Ok::<_, std::io::Error>(()) });
    let health = web::health(readiness);
    let alive = health.clone().oneshot(of("/healthz")).await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK);
    let (status, document) = document(health.oneshot(of("/readyz")).await.unwrap()).await;
    assert_eq!(status, 503);
    assert_eq!(document["detail"], "not ready: PostgreSQL, orders");
}

/// A served router, and what stops it.
struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    server: JoinSet<anyhow::Result<()>>,
}

async fn serve(router: Router, drain: Duration) -> Served {
    let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let mut server = JoinSet::new();
    server.spawn(web::serve(listener, router, shutdown.clone(), drain));
    Served {
        address,
        shutdown,
        server,
    }
}

/// Sends everything before it reads, as many clients do.
#[tokio::test]
async fn answers_a_client_that_sends_ten_megabytes_first() {
    const BODY: usize = 10_000_000;
    let served = serve(routes(), Duration::from_secs(5)).await;
    for framing in [
        format!("content-length: {BODY}"),
        "transfer-encoding: chunked".to_owned(),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let head = format!(
            "POST /baskets HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        if framing.starts_with("transfer") {
            stream
                .write_all(format!("{BODY:x}\r\n").as_bytes())
                .await
                .unwrap();
        }
        stream.write_all(&vec![b' '; BODY]).await.unwrap();
        if framing.starts_with("transfer") {
            stream.write_all(b"\r\n0\r\n\r\n").await.unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("262144 bytes"), "{answer}");
    }
}

#[tokio::test]
async fn answers_at_once_a_client_that_asks_before_it_sends() {
    let served = serve(routes(), Duration::from_secs(5)).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = "POST /baskets HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
                content-length: 10000000\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn names_the_port_that_is_taken_and_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = format!("{:#}", web::bind(address).await.unwrap_err());
    assert!(
        error.starts_with(&format!("cannot listen on {address} (LISTEN_ADDR): ")),
        "{error}"
    );
    assert!(
        error.to_lowercase().contains("address already in use"),
        "{error}"
    );
}

/// A handler that is in the middle of its work when the service is told to stop.
async fn in_the_middle(drain: Duration) -> (Served, JoinSet<reqwest::Result<u16>>, Arc<Notify>) {
    let (started, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (started, finish) = (started.clone(), finish.clone());
        move || async move {
            started.notify_one();
            finish.notified().await;
        }
    };
    let served = serve(Router::new().route("/", get(handler)), drain).await;
    let url = format!("http://{}/", served.address);
    let mut client = JoinSet::new();
    client.spawn(async move {
        let client = reqwest::Client::builder().build()?;
        Ok(client.get(url).send().await?.status().as_u16())
    });
    started.notified().await;
    served.shutdown.cancel();
    (served, client, finish)
}

#[tokio::test]
async fn finishes_what_is_in_hand_before_it_stops() {
    let (mut served, mut client, finish) = in_the_middle(Duration::from_mins(1)).await;
    finish.notify_one();
    assert_eq!(client.join_next().await.unwrap().unwrap().unwrap(), 200);
    served.server.join_next().await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn stops_after_its_deadline_whatever_is_in_hand() {
    let (mut served, _client, _finish) = in_the_middle(Duration::from_millis(50)).await;
    served.server.join_next().await.unwrap().unwrap().unwrap();
}
