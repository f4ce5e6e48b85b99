//! `/faults`: what goes wrong on purpose, changed while the server runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::faults::{Fault, Faults};

/// The body, there and back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    faults: Vec<Fault>,
}

pub(super) async fn list(State(faults): State<Arc<Faults>>) -> Json<List> {
    let faults = faults.list();
    Json(List { faults })
}

/// These instead of those that there are.
pub(super) async fn put(
    State(faults): State<Arc<Faults>>,
    list: Result<Json<List>, JsonRejection>,
) -> Result<Json<List>, (StatusCode, Json<Value>)> {
    let Json(list) = list.map_err(|error| {
        let body = json!({ "error": error.body_text() });
        (StatusCode::BAD_REQUEST, Json(body))
    })?;
    faults.set(list.faults.clone());
    Ok(Json(list))
}

/// Everything works again.
pub(super) async fn delete(State(faults): State<Arc<Faults>>) -> Json<List> {
    faults.set(Vec::new());
    tracing::info!("faults are switched off");
    list(State(faults)).await
}
