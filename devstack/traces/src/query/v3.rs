//! Jaeger's API version 3 (`/api/v3`): OTLP JSON in the `result` wrapper of Jaeger 2.13.
//!
//! Parameters are accepted as 2.13 spells them (`query.service_name`) and as later versions do (`query.serviceName`).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::DateTime;
use http::StatusCode;
use serde_json::{Value, json};
use story::TraceId;

use super::otlp_json::traces_data;
use crate::ids;
use crate::search::Search;
use crate::store::Store;
use crate::trace::Trace;

/// How many traces are found where a search does not say: as in Jaeger.
const DEFAULT_LIMIT: usize = 100;

const DURATIONS: [&str; 4] = [
    "query.duration_min",
    "query.durationMin",
    "query.duration_max",
    "query.durationMax",
];

const LIMITS: [&str; 4] = [
    "query.search_depth",
    "query.searchDepth",
    "query.num_traces",
    "query.numTraces",
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
) -> Result<Json<Value>, ApiError> {
    let found: Vec<_> = store.trace(trace_id(&id)?).into_iter().collect();
    wrapped(&found)
}

/// The trace id of a path.
pub(super) fn trace_id(text: &str) -> Result<TraceId, ApiError> {
    ids::pasted(text).map_err(|error| ApiError::malformed("trace_id", &error))
}

async fn find_traces(
    State(store): State<Arc<Store>>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    wrapped(&store.search(&search(&Parameters(parameters))?))
}

fn wrapped(found: &[Arc<Trace>]) -> Result<Json<Value>, ApiError> {
    if found.is_empty() {
        return Err(ApiError(
            StatusCode::NOT_FOUND,
            "No traces found".to_owned(),
        ));
    }
    Ok(Json(json!({ "result": traces_data(found) })))
}

fn search(parameters: &Parameters) -> Result<Search, ApiError> {
    let time = |names: [&'static str; 2]| parameters.read(&names, rfc3339_nanos);
    let start_min = time(["query.start_time_min", "query.startTimeMin"])?;
    let start_max = time(["query.start_time_max", "query.startTimeMax"])?;
    // Between which times a trace must begin.
    let Some((start_min, start_max)) = start_min.zip(start_max) else {
        let message = "query.start_time_min and query.start_time_max are required";
        return Err(ApiError(StatusCode::BAD_REQUEST, message.to_owned()));
    };
    let attributes = parameters.read(&["query.attributes"], |text| {
        serde_json::from_str::<BTreeMap<String, String>>(text)
    })?;
    if let Some((name, _)) = parameters.get(&DURATIONS) {
        // Ignored, it would find what was not asked for.
        let reason = "this store does not search by duration";
        return Err(ApiError::malformed(name, &reason));
    }
    let limit = parameters.read(&LIMITS, str::parse::<u32>)?;
    let limit = limit.filter(|limit| *limit > 0);
    Ok(Search {
        service: parameters.text(&["query.service_name", "query.serviceName"]),
        operation: parameters.text(&["query.operation_name", "query.operationName"]),
        attributes: attributes.unwrap_or_default().into_iter().collect(),
        start_min,
        start_max,
        limit: limit.map_or(DEFAULT_LIMIT, |limit| limit as usize),
    })
}

/// RFC 3339 to nanoseconds since 1970; a time outside of what nanoseconds can count becomes the nearest one.
fn rfc3339_nanos(text: &str) -> Result<u64, chrono::ParseError> {
    let time = DateTime::parse_from_rfc3339(text)?;
    let nanos =
        i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos());
    Ok(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

/// The decoded parameters of a request; one that is there but empty counts as absent, as in Jaeger.
#[derive(Debug)]
struct Parameters(HashMap<String, String>);

impl Parameters {
    /// The first value that is there under one of the names.
    fn get(&self, names: &[&'static str]) -> Option<(&'static str, &str)> {
        let values = names.iter().map(|name| (*name, self.0.get(*name)));
        let mut there = values.filter_map(|(name, value)| Some((name, value?.as_str())));
        there.find(|(_, value)| !value.is_empty())
    }

    fn text(&self, names: &[&'static str]) -> Option<String> {
        self.get(names).map(|(_, value)| value.to_owned())
    }

    /// Reads a parameter, or says which one is malformed.
    fn read<T, E: Display>(
        &self,
        names: &[&'static str],
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ApiError> {
        let value = self.get(names);
        let read = value
            .map(|(name, value)| parse(value).map_err(|reason| ApiError::malformed(name, &reason)));
        read.transpose()
    }
}

/// An error in the shape of Jaeger's gateway.
#[derive(Debug)]
pub(super) struct ApiError(StatusCode, String);

impl ApiError {
    fn malformed(name: &str, reason: &impl Display) -> Self {
        let message = format!("malformed parameter {name}: {reason}");
        Self(StatusCode::BAD_REQUEST, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self(status, message) = self;
        let error = json!({ "httpCode": status.as_u16(), "message": message });
        (status, Json(json!({ "error": error }))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_clamps_those_it_cannot_count() {
        assert_eq!(rfc3339_nanos("1970-01-01T00:00:01.5Z"), Ok(1_500_000_000));
        assert_eq!(rfc3339_nanos("1960-01-01T00:00:00Z"), Ok(0));
        assert_eq!(rfc3339_nanos("9999-01-01T00:00:00Z"), Ok(u64::MAX));
        assert!(rfc3339_nanos("yesterday").is_err());
    }

    #[test]
    fn prefers_the_first_spelling_and_skips_empty_values() {
        let pairs = [("b", "2"), ("a", "")].map(|(name, value)| (name.into(), value.into()));
        let parameters = Parameters(pairs.into());
        assert_eq!(parameters.get(&["a", "b"]), Some(("b", "2")));
    }
}
