//! Starts the server on a free port and speaks to it.

use embeddings::model;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinSet<anyhow::Result<()>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(faults: &[&str]) -> Self {
        let faults = faults.iter().map(|fault| fault.parse().expect("a fault"));
        let faults = faults.collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shutdown = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(embeddings::serve_with_faults(
            listener,
            faults,
            shutdown.clone(),
        ));
        let client = reqwest::Client::builder().build().expect("a client");
        Self {
            url,
            client,
            shutdown,
            task,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.url);
        self.client.get(url).send().await.expect("an answer")
    }

    pub(crate) async fn post(&self, body: impl Into<reqwest::Body>) -> Response {
        let url = format!("{}/v1/embeddings", self.url);
        self.client
            .post(url)
            .body(body)
            .send()
            .await
            .expect("an answer")
    }

    pub(crate) async fn embed(&self, fields: Value) -> Value {
        let response = self.post(request(fields).to_string()).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.expect("JSON")
    }

    /// Expects the request to be refused, and returns what OpenAI's clients read of it.
    pub(crate) async fn refusal(&self, fields: Value) -> (StatusCode, Value) {
        refusal(self.post(request(fields).to_string()).await).await
    }
}

/// A request with these fields on top of the right model.
pub(crate) fn request(mut fields: Value) -> Value {
    let entries = fields.as_object_mut().expect("an object");
    entries.entry("model").or_insert(json!(model::NAME));
    fields
}

pub(crate) async fn refusal(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let mut body: Value = response.json().await.expect("JSON");
    let error = body["error"].take();
    assert!(
        error["message"].is_string() && error["type"] == "invalid_request_error",
        "{error}"
    );
    (status, error)
}
