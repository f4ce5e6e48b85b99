//! An inventory that answers as it is told, and remembers what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
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
    /// `reserve ITEM-001` and what came with it, in the order in which it came.
    requests: Vec<(String, Value)>,
    /// What is answered to `reserve ITEM-001` or `healthz`, where it is not success.
    answers: HashMap<String, StatusCode>,
}

impl Inventory {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Shared::default();
        let router = Router::new()
            .route("/healthz", get(alive))
            .route("/stock", get(list))
            .route("/stock/{item}/{what}", post(decide))
            .with_state(state.clone());
        let mut server = JoinSet::new();
        server.spawn(axum::serve(listener, router).into_future());
        Self {
            url,
            state,
            _server: server,
        }
    }

    /// Answers `what`, such as `reserve ITEM-001` or `healthz`, with `status` from now on.
    pub(crate) fn answer(&self, what: &str, status: u16) {
        let status = StatusCode::from_u16(status).unwrap();
        let mut state = self.state.lock().unwrap();
        state.answers.insert(what.to_owned(), status);
    }

    /// What it was asked to do, such as `reserve ITEM-001`.
    pub(crate) fn asked(&self) -> Vec<String> {
        let requests = self.requests().into_iter();
        requests.map(|(what, _)| what).collect()
    }

    /// What it was asked to do, and for whom.
    pub(crate) fn requests(&self) -> Vec<(String, Value)> {
        self.state.lock().unwrap().requests.clone()
    }
}

async fn alive(State(state): State<Shared>) -> StatusCode {
    let answers = &state.lock().unwrap().answers;
    *answers.get("healthz").unwrap_or(&StatusCode::OK)
}

async fn list() -> Json<Value> {
    let item = |(id, name)| json!({"item_id": id, "name": name, "available": 9, "reserved": 0, "price": 100});
    Json(ITEMS.map(item).into_iter().collect())
}

async fn decide(
    State(state): State<Shared>,
    Path((item, what)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let asked = format!("{what} {item}");
    let mut state = state.lock().unwrap();
    state.requests.push((asked.clone(), body.clone()));
    let known = ITEMS.iter().any(|(id, _)| *id == item);
    let status = match state.answers.get(&asked) {
        Some(status) => *status,
        None if known => StatusCode::OK,
        None => StatusCode::NOT_FOUND,
    };
    let quantity = &body["quantity"];
    let answer = json!({"order_id": body["order_id"], "item_id": item, "quantity": quantity, "status": "reserved"});
    (status, Json(answer))
}
