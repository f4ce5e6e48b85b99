//! The embeddings API: the real stand-in, and one that can be told to answer nonsense.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use embeddings::model::{DIMENSIONS, NAME, Text};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Aborted when dropped.
pub(crate) type Server = JoinSet<anyhow::Result<()>>;

/// Starts the stand-in of the embedded mode, and returns its base URL.
pub(crate) async fn start() -> (String, Server) {
    let (listener, url) = listen().await;
    let mut server = Server::new();
    server.spawn(embeddings::serve(listener, CancellationToken::new()));
    (url, server)
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    (listener, url)
}

/// The same model behind an API with moods.
pub(crate) struct Moody {
    pub(crate) url: String,
    mood: Mood,
    _server: Server,
}

/// What it answers instead of embeddings.
type Mood = Arc<Mutex<Option<(StatusCode, String)>>>;

impl Moody {
    pub(crate) async fn start() -> Self {
        let (listener, url) = listen().await;
        let mood = Mood::default();
        let router = Router::new()
            .route("/v1/embeddings", post(create))
            .route("/v1/models", get(list_models))
            .with_state(mood.clone());
        let mut server = Server::new();
        server.spawn(async move { Ok(axum::serve(listener, router).await?) });
        Self {
            url,
            mood,
            _server: server,
        }
    }

    /// Answers everything with this.
    pub(crate) fn answer(&self, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        *self.mood.lock().unwrap() = Some((status, body.to_owned()));
    }

    /// Answers with embeddings again.
    pub(crate) fn recover(&self) {
        *self.mood.lock().unwrap() = None;
    }
}

async fn list_models(State(mood): State<Mood>) -> (StatusCode, String) {
    let answer = mood.lock().unwrap().clone();
    // As an API answers whose probe has no key.
    answer.unwrap_or((StatusCode::UNAUTHORIZED, String::new()))
}

async fn create(State(mood): State<Mood>, Json(request): Json<Value>) -> (StatusCode, String) {
    if let Some(answer) = mood.lock().unwrap().clone() {
        return answer;
    }
    let texts = request["input"].as_array().unwrap().iter();
    let vectors = texts.map(|text| Text::new(text.as_str().unwrap()).embed(DIMENSIONS));
    let data: Vec<_> = vectors
        .enumerate()
        .map(|(index, embedding)| json!({"index": index, "embedding": embedding}))
        .collect();
    let answer = json!({"model": NAME, "data": data});
    (StatusCode::OK, answer.to_string())
}
