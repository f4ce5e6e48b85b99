use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::traffic::report::tests::order_with;

const OTHER_HALF: &str = "1af7651916cd43dd8448eb211c80319c";

/// Our own trace store, until it is dropped.
struct Store {
    url: String,
    otlp: SocketAddr,
    _server: JoinSet<()>,
}

impl Store {
    async fn start() -> Self {
        let listener = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listeners = traces::Listeners {
            otlp_grpc: listener().await,
            otlp_http: listener().await,
            query: listener().await,
        };
        let url = format!("http://{}", listeners.query.local_addr().unwrap());
        let otlp = listeners.otlp_http.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async {
            let stop = CancellationToken::new();
            let end = traces::serve(listeners, traces::Limits::default(), stop).await;
            end.unwrap();
        });
        Self {
            url,
            otlp,
            _server: server,
        }
    }

    async fn export(&self, service: &str, span: Value) {
        let resource = json!({"attributes": [text("service.name", service)]});
        let body =
            json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]});
        let client = reqwest::Client::builder().build().unwrap();
        let request = client.post(format!("http://{}/v1/traces", self.otlp));
        let response = request.json(&body).send().await.unwrap();
        assert!(response.status().is_success());
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// A span of a message of order `a`, that began some seconds ago.
fn message(trace: &str, number: u8, kind: u8, name: &str) -> Value {
    let (_, destination) = name.split_once(' ').unwrap();
    let start = (Utc::now() - chrono::TimeDelta::seconds(20)).timestamp_nanos_opt();
    let start = start.unwrap();
    json!({
        "traceId": trace, "spanId": format!("{number:016x}"), "name": name, "kind": kind,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 1_000_000).to_string(),
        "attributes": [
            text("messaging.system", "aws_sqs"),
            text("messaging.destination.name", destination),
            text("orderflow.messaging.idempotency_key", "a"),
        ],
    })
}

const PRODUCER: u8 = 4;
const CONSUMER: u8 = 5;

fn impatient<'a>(store: &Store) -> Checker<'a> {
    Checker {
        quiet: Duration::from_millis(200),
        ..Checker::new(&store.url, None)
    }
}

#[tokio::test]
async fn a_lost_context_is_found_long_before_patience_ends_and_the_other_half_is_named() {
    let store = Store::start().await;
    let order = order_with("a", "confirmed");
    let trace = order.trace_id.clone().unwrap();
    let sent = message(&trace, 1, PRODUCER, "send classification-jobs");
    store.export("classifier", sent).await;
    let taken = message(OTHER_HALF, 2, CONSUMER, "process classification-jobs");
    store.export("classifier", taken).await;
    let checker = impatient(&store);

    let began = Instant::now();
    let verdict = checker.check(&order).await;
    let words = checker.describe(&order, &verdict, true).await;

    assert!(began.elapsed() < PATIENCE / 3, "{:?}", began.elapsed());
    assert!(
        words.starts_with("a: `POST /orders` (gateway, SERVER) is not in the story"),
        "{words}"
    );
    let other_half = format!(
        "it goes on in another trace with `process classification-jobs` (classifier), since its context was lost on \
         the way: {}/trace/{OTHER_HALF}",
        store.url
    );
    assert!(words.contains(&other_half), "{words}");
    assert!(!words.contains("waits"), "{words}");
}

#[tokio::test]
async fn what_follows_the_end_of_an_order_is_waited_for() {
    let store = Store::start().await;
    let order = order_with("a", "confirmed");
    let trace = order.trace_id.clone().unwrap();
    let sent = message(&trace, 1, PRODUCER, "send order.ended");
    store.export("orders", sent).await;
    let began = Instant::now();
    let checker = Checker {
        deadline: began + Duration::from_secs(1),
        ..impatient(&store)
    };

    let verdict = checker.check(&order).await;

    assert!(
        began.elapsed() > Duration::from_millis(800),
        "{:?}",
        began.elapsed()
    );
    let words = checker.describe(&order, &verdict, true).await;
    assert!(
        words.contains("it waits in SQS (`order.ended`) for `email`"),
        "{words}"
    );
}

#[tokio::test]
async fn where_an_order_is_that_has_not_ended_is_told() {
    let store = Store::start().await;
    let order = order_with("a", "pending");
    let trace = order.trace_id.clone().unwrap();
    let sent = message(&trace, 1, PRODUCER, "send classification-jobs");
    store.export("classifier", sent).await;
    assert_eq!(
        impatient(&store).where_is(&order).await,
        ["waits in SQS (`classification-jobs`) for `classifier`"]
    );
}
