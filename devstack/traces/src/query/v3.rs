//! Jaeger's API version 3 (`/api/v3`): OTLP JSON in the `result` wrapper of Jaeger 2.13.
//!
//! Parameters are accepted as 2.13 spells them (`query.service_name`) and as later versions do (`query.serviceName`).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::otlp_json::traces_data;
use super::params::{ParamError, Params, parsed, rfc3339_nanos, string_map};
use crate::ids;
use crate::search::{DEFAULT_LIMIT, Search};
use crate::store::Store;
use crate::trace::Trace;

const DURATIONS: [&str; 4] = [
    "query.duration_min",
    "query.durationMin",
    "query.duration_max",
    "query.durationMax",
];

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/api/v3/services", get(services))
        .route("/api/v3/traces", get(find_traces))
        .route("/api/v3/traces/{id}", get(get_trace))
}

async fn services(State(store): State<Arc<Store>>) -> Json<Value> {
    let services = store.read().services();
    Json(json!({ "services": services }))
}

async fn get_trace(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = ids::pasted(&id).map_err(|error| ParamError::new("trace_id", &error))?;
    let found: Vec<_> = store.trace(id).into_iter().collect();
    wrapped(&found)
}

async fn find_traces(
    State(store): State<Arc<Store>>,
    params: Params,
) -> Result<Response, ApiError> {
    wrapped(&store.search(&search(&params)?))
}

fn wrapped(found: &[Arc<Trace>]) -> Result<Response, ApiError> {
    if found.is_empty() {
        return Err(ApiError::NoTraces);
    }
    Ok(Json(json!({ "result": traces_data(found) })).into_response())
}

fn search(params: &Params) -> Result<Search, ApiError> {
    let (start_min, start_max) = times(params)?;
    let attributes = params.read(&["query.attributes"], string_map)?;
    if let Some((name, _)) = params.get(&DURATIONS) {
        // Ignored, it would find what was not asked for.
        return Err(ParamError::new(name, "this store does not search by duration").into());
    }
    Ok(Search {
        service: params.text(&["query.service_name", "query.serviceName"]),
        operation: params.text(&["query.operation_name", "query.operationName"]),
        attributes: attributes.unwrap_or_default(),
        start_min,
        start_max,
        limit: limit(params)?,
    })
}

/// Between which times a trace must begin.
fn times(params: &Params) -> Result<(u64, u64), ApiError> {
    let time = |names: &[&str]| params.read(names, rfc3339_nanos);
    let min = time(&["query.start_time_min", "query.startTimeMin"])?;
    let max = time(&["query.start_time_max", "query.startTimeMax"])?;
    min.zip(max).ok_or(ApiError::TimesRequired)
}

fn limit(params: &Params) -> Result<usize, ApiError> {
    let names = [
        "query.search_depth",
        "query.searchDepth",
        "query.num_traces",
        "query.numTraces",
    ];
    let limit = params.read(&names, parsed::<u32>)?;
    let limit = limit.filter(|limit| *limit > 0);
    Ok(limit.map_or(DEFAULT_LIMIT, |limit| limit as usize))
}

/// Errors in the shape of Jaeger's gateway.
#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("No traces found")]
    NoTraces,
    #[error("query.start_time_min and query.start_time_max are required")]
    TimesRequired,
    #[error(transparent)]
    Parameter(#[from] ParamError),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoTraces => StatusCode::NOT_FOUND,
            Self::TimesRequired | Self::Parameter(_) => StatusCode::BAD_REQUEST,
        };
        let error = json!({ "httpCode": status.as_u16(), "message": self.to_string() });
        (status, Json(json!({ "error": error }))).into_response()
    }
}
