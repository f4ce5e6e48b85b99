//! An inventory that answers as it is told, and remembers what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::refusals;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What it sells; everything else is unknown.
const ITEMS: [(&str, &str); 3] = [
    ("ITEM-001", "wireless mouse"),
    ("ITEM-002", "hand blown glass vase"),
    ("ITEM-003", "fresh strawberries"),
];

pub(crate) struct Inventory {
    pub(crate) url: String,
    state: Shared,
    /// Aborted when dropped.
    _server: JoinSet<std::io::Result<()>>,
}

type Shared = Arc<Mutex<Inner>>;

#[derive(Default)]
struct Inner {
    /// The bodies of `POST /holds`, in the order in which they came.
    holds: Vec<Value>,
    /// What is answered to `holds`, `stock` or `healthz`, where it is not success.
    answers: HashMap<&'static str, (StatusCode, String)>,
}

impl Inventory {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Shared::default();
        let router = Router::new()
            .route("/healthz", get(alive))
            .route("/stock", get(list))
            .route("/holds", post(hold))
            .with_state(state.clone());
        let mut server = JoinSet::new();
        server.spawn(axum::serve(listener, router).into_future());
        Self {
            url,
            state,
            _server: server,
        }
    }

    /// Answers `what`, `holds`, `stock` or `healthz`, with this from now on.
    pub(crate) fn answer(&self, what: &'static str, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        let mut state = self.state.lock().unwrap();
        state.answers.insert(what, (status, body.to_owned()));
    }

    /// Refuses holds with a problem of this type.
    pub(crate) fn refuse(&self, status: u16, kind: &str, detail: Option<&str>) {
        let problem =
            json!({"type": kind, "title": "Conflict", "status": status, "detail": detail});
        self.answer("holds", status, &problem.to_string());
    }

    /// Works again.
    pub(crate) fn recover(&self) {
        self.state.lock().unwrap().answers.clear();
    }

    /// What it was asked to hold, and for whom.
    pub(crate) fn holds(&self) -> Vec<Value> {
        self.state.lock().unwrap().holds.clone()
    }
}

async fn alive(State(state): State<Shared>) -> Response {
    let answer = state.lock().unwrap().answers.get("healthz").cloned();
    answer.unwrap_or_default().into_response()
}

async fn list(State(state): State<Shared>) -> Response {
    if let Some(answer) = state.lock().unwrap().answers.get("stock") {
        return answer.clone().into_response();
    }
    let item = |(id, name)| json!({"item_id": id, "name": name, "available": 9, "held": 0, "kept": 0, "price": 100});
    Json(ITEMS.map(item)).into_response()
}

async fn hold(State(state): State<Shared>, Json(body): Json<Value>) -> Response {
    let mut state = state.lock().unwrap();
    state.holds.push(body.clone());
    if let Some(answer) = state.answers.get("holds") {
        return answer.clone().into_response();
    }
    let unknown = body["items"].as_array().unwrap().iter().find(|line| {
        let known = |(id, _): &(&str, &str)| line["item_id"] == *id;
        !ITEMS.iter().any(known)
    });
    match unknown {
        None => Json(json!({"order_id": body["order_id"], "status": "held"})).into_response(),
        Some(line) => {
            let item = line["item_id"].as_str().unwrap();
            let detail = format!("{item} is not in our catalogue");
            let problem = json!({"type": refusals::UNKNOWN_ITEM, "detail": detail});
            (StatusCode::NOT_FOUND, Json(problem)).into_response()
        }
    }
}
