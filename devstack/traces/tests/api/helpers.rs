use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use traces::{Limits, Listeners, serve};

pub(crate) const TRACE: &str = "5b8efff798038103d269b633813fc60c";
pub(crate) const OTHER_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A store on ports of its own, stopped when dropped.
pub(crate) struct TestStore {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) query: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) server: JoinSet<anyhow::Result<()>>,
    client: Client,
}

impl TestStore {
    pub(crate) async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    pub(crate) async fn start_with(limits: Limits) -> Self {
        let bind = || TcpListener::bind("127.0.0.1:0");
        let listeners = Listeners {
            otlp_grpc: bind().await.unwrap(),
            otlp_http: bind().await.unwrap(),
            query: bind().await.unwrap(),
        };
        let grpc = listeners.otlp_grpc.local_addr().unwrap();
        let http = listeners.otlp_http.local_addr().unwrap();
        let query = listeners.query.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let mut server = JoinSet::new();
        server.spawn(serve(listeners, limits, shutdown.clone()));
        let client = Client::builder().no_proxy().build().unwrap();
        Self {
            grpc,
            http,
            query,
            shutdown,
            server,
            client,
        }
    }

    pub(crate) async fn get_text(&self, path: &str) -> (StatusCode, String) {
        let url = format!("http://{}{path}", self.query);
        let response = self.client.get(url).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, text) = self.get_text(path).await;
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        (status, json)
    }

    /// The body of a 200.
    pub(crate) async fn get_ok(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Response {
        let mut request = self
            .client
            .post(format!("http://{}{path}", self.http))
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let headers = [("content-type", "application/json")];
        let response = self
            .post(path, &headers, body.to_string().into_bytes())
            .await;
        (response.status(), response.json().await.unwrap())
    }

    /// Sends spans of one service and expects all of them to be kept.
    pub(crate) async fn send(&self, service: &str, spans: &[Value]) {
        let answer = self.post_json("/v1/traces", &export(service, spans)).await;
        assert_eq!(answer, (StatusCode::OK, json!({})));
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(crate) fn export(service: &str, spans: &[Value]) -> Value {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": service } }] },
        "scopeSpans": [{ "scope": { "name": "test", "version": "1" }, "spans": spans }],
    }] })
}

/// A span that starts at second `start` of 2023-11-14T22:13:20Z and takes a second.
pub(crate) fn span(id: u64, parent: Option<u64>, name: &str, start: u64) -> Value {
    let start = 1_700_000_000_000_000_000 + start * 1_000_000_000;
    json!({
        "traceId": TRACE,
        "spanId": format!("{id:016x}"),
        "parentSpanId": parent.map(|parent| format!("{parent:016x}")).unwrap_or_default(),
        "name": name,
        "kind": 2,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": (start + 1_000_000_000).to_string(),
    })
}

/// The span with some fields set to other values.
pub(crate) fn with(mut span: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else {
        panic!("not an object: {fields}");
    };
    span.as_object_mut().unwrap().extend(fields);
    span
}

pub(crate) fn protobuf(export: &Value) -> Vec<u8> {
    let request: ExportTraceServiceRequest = serde_json::from_value(export.clone()).unwrap();
    request.encode_to_vec()
}
