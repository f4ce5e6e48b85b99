use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{ClientError, JaegerClient};
use crate::span::TraceId;
use crate::story::Story;

const ORDER: &str = "11111111111111111111111111111111";
const WORK: &str = "22222222222222222222222222222222";
const BATCH: &str = "33333333333333333333333333333333";
const STRANGER: &str = "44444444444444444444444444444444";

fn id(hex: &str) -> TraceId {
    hex.parse().unwrap()
}

/// Serves `store` until the returned set is dropped.
async fn serve(store: Router) -> (JaegerClient, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = JaegerClient::new(format!("http://{}/", listener.local_addr().unwrap()));
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, store).await.unwrap() });
    (client, server)
}

/// One span with the number `span`, of kind `kind`, that links to each of `links` (a trace and a span in it).
fn trace(trace: &str, span: u64, kind: i32, attributes: &Value, links: &[(&str, u64)]) -> String {
    let links: Vec<Value> = links
        .iter()
        .map(|(id, span)| json!({"traceId": id, "spanId": format!("{span:016x}")}))
        .collect();
    let span = json!({
        "traceId": trace, "spanId": format!("{span:016x}"), "name": "x", "kind": kind,
        "startTimeUnixNano": "1", "endTimeUnixNano": "2", "attributes": attributes, "links": links,
    });
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string()
}

fn answers(body: String) -> axum::routing::MethodRouter {
    get(async move || body)
}

/// A row of the index: span 1 of `from` links to span 1 of the order.
fn backlink(from: &str) -> Value {
    json!({"trace_id": from, "span_id": format!("{:016x}", 1),
           "linked_trace_id": ORDER, "linked_span_id": format!("{:016x}", 1)})
}

/// An order whose message is worked on in a trace of its own, and was received in a batch with a stranger's.
fn linked_traces() -> Router {
    let none = json!([]);
    let receive = json!([{"key": "messaging.operation.type", "value": {"stringValue": "receive"}}]);
    Router::new()
        .route(
            &format!("/api/v3/traces/{ORDER}"),
            answers(trace(ORDER, 1, 4, &none, &[])),
        )
        .route(
            &format!("/api/v3/traces/{WORK}"),
            answers(trace(WORK, 1, 5, &none, &[(ORDER, 1)])),
        )
        .route(
            &format!("/api/v3/traces/{BATCH}"),
            answers(trace(BATCH, 1, 3, &receive, &[(ORDER, 1), (STRANGER, 1)])),
        )
        .route(
            &format!("/api/v3/traces/{STRANGER}"),
            answers(trace(STRANGER, 1, 4, &none, &[])),
        )
}

/// Our own store, which keeps an index of links.
fn store_with_links() -> Router {
    let index = json!({"data": [backlink(WORK), backlink(BATCH)]});
    linked_traces().route(
        &format!("/api/orderflow/backlinks/{ORDER}"),
        get(async move || axum::Json(index)),
    )
}

#[tokio::test]
async fn follows_links_in_both_directions_but_not_into_a_batch() {
    let (client, _server) = serve(store_with_links()).await;
    for origin in [ORDER, WORK] {
        let story = Story::gather(&client, id(origin)).await.unwrap().unwrap();
        let mut traces = story.traces();
        traces.sort();
        assert_eq!(traces, [id(ORDER), id(WORK)], "from {origin}");
        let sent = story
            .spans()
            .iter()
            .find(|span| span.trace_id == id(ORDER))
            .unwrap();
        let linking: Vec<TraceId> = story.backlinks(sent).map(|span| span.trace_id).collect();
        assert_eq!(linking, [id(WORK), id(BATCH)], "from {origin}");
    }
}

#[tokio::test]
async fn searches_for_links_where_the_store_keeps_no_index() {
    let search = answers(trace(WORK, 1, 5, &json!([]), &[(ORDER, 1)]));
    let (client, _server) = serve(linked_traces().route("/api/v3/traces", search)).await;
    let story = Story::gather(&client, id(ORDER)).await.unwrap().unwrap();
    assert_eq!(story.traces(), [id(ORDER), id(WORK)]);
}

#[tokio::test]
async fn finds_what_was_sent_back_long_after_it_was_given_up() {
    let sent_back = trace(WORK, 1, 4, &json!([]), &[(ORDER, 1)]);
    let search = get(async move |RawQuery(query): RawQuery| {
        let by_the_command = query.unwrap_or_default().contains("service_name=orderflow");
        by_the_command
            .then_some(sent_back)
            .ok_or(StatusCode::NOT_FOUND)
    });
    let (client, _server) = serve(linked_traces().route("/api/v3/traces", search)).await;
    let story = Story::gather(&client, id(ORDER)).await.unwrap().unwrap();
    assert_eq!(story.traces(), [id(ORDER), id(WORK)]);
}

#[tokio::test]
async fn searches_for_no_links_where_each_message_was_taken_in_its_trace() {
    let work = answers(trace(WORK, 1, 5, &json!([]), &[]));
    let search = get(async || StatusCode::INTERNAL_SERVER_ERROR);
    let store = Router::new()
        .route(&format!("/api/v3/traces/{WORK}"), work)
        .route("/api/v3/traces", search);
    let (client, _server) = serve(store).await;
    let told = Story::gather(&client, id(WORK)).await.unwrap().unwrap();
    assert_eq!(told.traces(), [id(WORK)]);
}

#[tokio::test]
async fn knows_no_story_of_a_trace_that_is_not_stored() {
    let (client, _server) = serve(Router::new()).await;
    assert!(Story::gather(&client, id(ORDER)).await.unwrap().is_none());
}

#[tokio::test]
async fn takes_the_web_page_of_a_real_jaeger_for_no_index() {
    let jaeger = Router::new().fallback(async || Html("<!doctype html>"));
    let (client, _server) = serve(jaeger).await;
    assert_eq!(client.backlinks(id(ORDER)).await.unwrap(), None);
}

#[tokio::test]
async fn says_what_the_store_refused() {
    let broken = Router::new().fallback(async || StatusCode::INTERNAL_SERVER_ERROR);
    let (client, _server) = serve(broken).await;
    let error = client.trace(id(ORDER)).await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Refused {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn finds_who_handled_the_messages_of_an_order_also_where_it_cannot_search_by_attribute() {
    let key = |value| json!([{"key": "orderflow.messaging.idempotency_key", "value": {"stringValue": value}}]);
    let (ours, theirs) = (key("o 1"), key("o 2"));
    let search = get(async move |RawQuery(query): RawQuery| {
        let query = query.unwrap_or_default();
        assert!(query.contains("&query.service_name=classifier&"), "{query}");
        assert!(query.contains("%22o+1%22%7D"), "{query}");
        let spans = [
            trace(WORK, 1, 5, &ours, &[]),
            trace(STRANGER, 1, 5, &theirs, &[]),
        ];
        let all = spans.map(|spans| serde_json::from_str::<Value>(&spans).unwrap());
        let all: Vec<_> = all
            .iter()
            .map(|spans| spans["resourceSpans"][0].clone())
            .collect();
        json!({"resourceSpans": all}).to_string()
    });
    let (client, _server) = serve(Router::new().route("/api/v3/traces", search)).await;
    let handled = client.handled("classifier", "o 1").await.unwrap();
    let traces: Vec<TraceId> = handled.iter().map(|span| span.trace_id).collect();
    assert_eq!(traces, [id(WORK)]);
}

#[tokio::test]
async fn finds_recent_traces_of_a_service() {
    let search = get(async |RawQuery(query): RawQuery| {
        let query = query.unwrap_or_default();
        let asked = [
            "query.service_name=email",
            "query.serviceName=email",
            "query.start_time_min=",
            "query.startTimeMax=",
        ];
        assert!(asked.iter().all(|part| query.contains(part)), "{query}");
        trace(ORDER, 1, 5, &json!([]), &[])
    });
    let (client, _server) = serve(Router::new().route("/api/v3/traces", search)).await;
    assert_eq!(client.recent("email").await.unwrap()[0].trace_id, id(ORDER));
}
