//! Jaeger's older API (`/api/traces` and its neighbours), which its own page still uses in part.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::legacy_json::{self, structured};
use super::params::{ParamError, Params, go_duration_nanos, micros_as_nanos, parsed, string_map};
use crate::ids::TraceId;
use crate::search::{DEFAULT_LIMIT, Search};
use crate::span::kind_text;
use crate::store::Store;
use crate::trace::Trace;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/api/services", get(services))
        .route("/api/services/{service}/operations", get(operation_names))
        .route("/api/operations", get(operations))
        .route("/api/traces", get(find_traces))
        .route("/api/traces/{id}", get(get_trace))
        .route("/api/dependencies", get(dependencies))
}

async fn services(State(store): State<Arc<Store>>) -> Json<Value> {
    let services = store.services();
    Json(structured(&texts(&services)))
}

async fn operation_names(
    State(store): State<Arc<Store>>,
    Path(service): Path<String>,
) -> Json<Value> {
    let mut names: Vec<_> = store
        .operations(&service)
        .into_iter()
        .map(|operation| operation.name)
        .collect();
    // They come sorted, with one entry per kind.
    names.dedup();
    Json(structured(&texts(&names)))
}

async fn operations(
    State(store): State<Arc<Store>>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let service = params.text(&["service"]).ok_or(ApiError::ServiceRequired)?;
    let wanted = params.text(&["spanKind"]);
    let operations = store
        .operations(&service)
        .into_iter()
        .filter_map(|operation| {
            let kind = kind_text(operation.kind).unwrap_or_default();
            let selected = wanted.as_deref().is_none_or(|wanted| wanted == kind);
            selected.then(|| json!({ "name": *operation.name, "spanKind": kind }))
        });
    Ok(Json(structured(&operations.collect::<Vec<_>>())))
}

async fn get_trace(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let id: TraceId = id
        .parse()
        .map_err(|error| ParamError::new("traceID", &error))?;
    let trace = store.trace(id).ok_or(ApiError::TraceNotFound)?;
    Ok(Json(structured(&[legacy_json::trace(&trace)])))
}

async fn find_traces(
    State(store): State<Arc<Store>>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let ids = params
        .all("traceID")
        .map(str::parse::<TraceId>)
        .collect::<Result<Vec<_>, _>>();
    let ids = ids.map_err(|error| ParamError::new("traceID", &error))?;
    let found = if ids.is_empty() {
        store.search(&search(&params)?)
    } else {
        ids.into_iter().filter_map(|id| store.trace(id)).collect()
    };
    let traces: Vec<_> = found
        .iter()
        .map(|trace| legacy_json::trace(trace))
        .collect();
    Ok(Json(structured(&traces)))
}

fn search(params: &Params) -> Result<Search, ApiError> {
    let service = params.text(&["service"]).ok_or(ApiError::ServiceRequired)?;
    let limit = params
        .read(&["limit"], parsed::<u32>)?
        .filter(|limit| *limit > 0);
    let mut attributes = params.read(&["tags"], string_map)?.unwrap_or_default();
    for tag in params.all("tag") {
        let (key, value) = tag
            .split_once(':')
            .ok_or_else(|| ParamError::new("tag", "it is not key:value"))?;
        attributes.push((key.to_owned(), value.to_owned()));
    }
    Ok(Search {
        service: Some(service),
        operation: params.text(&["operation"]),
        attributes,
        start_min: params.read(&["start"], micros_as_nanos)?.unwrap_or(0),
        start_max: params.read(&["end"], micros_as_nanos)?.unwrap_or(u64::MAX),
        duration_min: params
            .read(&["minDuration"], go_duration_nanos)?
            .unwrap_or(0),
        duration_max: params
            .read(&["maxDuration"], go_duration_nanos)?
            .unwrap_or(u64::MAX),
        limit: limit.map_or(DEFAULT_LIMIT, |limit| limit as usize),
    })
}

/// Who calls whom, among the traces that began within `lookback` before `endTs`, both in milliseconds.
async fn dependencies(
    State(store): State<Arc<Store>>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;
    let end = params.read(&["endTs"], parsed::<u64>)?;
    let end = end.unwrap_or_else(now_millis);
    let lookback = params.read(&["lookback"], parsed::<u64>)?;
    let lookback = lookback.unwrap_or(DAY_MILLIS);
    let window = Search {
        start_min: end.saturating_sub(lookback).saturating_mul(1_000_000),
        start_max: end.saturating_mul(1_000_000),
        limit: usize::MAX,
        ..Search::default()
    };
    let mut calls = BTreeMap::<_, usize>::new();
    for trace in store.search(&window) {
        for edge in edges(&trace) {
            *calls.entry(edge).or_default() += 1;
        }
    }
    let dependency = |((parent, child), call_count): ((Arc<str>, Arc<str>), _)| Dependency {
        parent: parent.to_string(),
        child: child.to_string(),
        call_count,
    };
    let dependencies: Vec<_> = calls.into_iter().map(dependency).collect();
    Ok(Json(structured(&dependencies)))
}

/// The calls in a trace from one service to another, as their two names.
fn edges(trace: &Trace) -> impl Iterator<Item = (Arc<str>, Arc<str>)> {
    trace.spans().filter_map(|span| {
        let from = &trace.get(span.parent?)?.origin.service;
        let to = &span.origin.service;
        (from != to).then(|| (Arc::clone(from), Arc::clone(to)))
    })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    parent: String,
    child: String,
    call_count: usize,
}

fn texts(shared: &[Arc<str>]) -> Vec<&str> {
    shared.iter().map(AsRef::as_ref).collect()
}

fn now_millis() -> u64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// Errors in the shape of the older API.
#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("trace not found")]
    TraceNotFound,
    #[error("parameter 'service' is required")]
    ServiceRequired,
    #[error(transparent)]
    Parameter(#[from] ParamError),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::TraceNotFound => StatusCode::NOT_FOUND,
            Self::ServiceRequired | Self::Parameter(_) => StatusCode::BAD_REQUEST,
        };
        let error = json!({ "code": status.as_u16(), "msg": self.to_string() });
        let body = json!({ "data": null, "total": 0, "limit": 0, "offset": 0, "errors": [error] });
        (status, Json(body)).into_response()
    }
}
