//! What Jaeger does not answer: who links here, which logs belong to a trace, what the store holds.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, SecondsFormat};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use serde::Serialize;
use serde_json::{Value, json};
use story::{Attributes, SpanId, TraceId};

use super::v3::{ApiError, trace_id};
use crate::kept::Stats;
use crate::span::StoredLog;
use crate::store::Store;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/api/orderflow/backlinks/{trace_id}", get(backlinks))
        .route("/api/orderflow/logs/{trace_id}", get(logs))
        .route("/api/orderflow/stats", get(stats))
        .route("/healthz", get(|| async { "ok" }))
}

/// A trace nobody links to and an unknown one look the same: an empty list.
async fn backlinks(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let target = trace_id(&id)?;
    let backlinks = store.read().backlinks(target);
    let entries = backlinks.iter().map(|backlink| {
        json!({
            "trace_id": backlink.from.trace_id.to_string(),
            "span_id": backlink.from.span_id.to_string(),
            "linked_trace_id": target.to_string(),
            "linked_span_id": backlink.to.to_string(),
        })
    });
    Ok(Json(json!({ "data": entries.collect::<Vec<_>>() })))
}

/// The log records of a trace by time; none is an empty list.
async fn logs(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<LogLine>>, ApiError> {
    let trace_id = trace_id(&id)?;
    let trace = store.read().get(trace_id);
    let logs = trace.iter().flat_map(|trace| trace.logs());
    let mut records: Vec<_> = logs.map(|log| (log, log.decode())).collect();
    records.sort_by_key(|(_, record)| time_nanos(record));
    let lines = records
        .iter()
        .map(|(log, record)| LogLine::new(trace_id, log, record));
    Ok(Json(lines.collect()))
}

async fn stats(State(store): State<Arc<Store>>) -> Json<Stats> {
    Json(store.read().stats())
}

/// A log record as one flat object.
#[derive(Debug, Serialize)]
struct LogLine {
    /// RFC 3339, UTC, to the nanosecond.
    time: String,
    severity: String,
    service: String,
    body: Value,
    trace_id: String,
    /// Empty for a record written outside any span of the trace.
    span_id: String,
    attributes: Attributes,
}

impl LogLine {
    fn new(trace_id: TraceId, log: &StoredLog, record: &LogRecord) -> Self {
        Self {
            time: rfc3339(time_nanos(record)),
            severity: severity(record),
            service: log.service.to_string(),
            body: story::json(record.body.as_ref()),
            trace_id: trace_id.to_string(),
            span_id: SpanId::from_bytes(&record.span_id)
                .map(|id| id.to_string())
                .unwrap_or_default(),
            attributes: story::attributes(&record.attributes),
        }
    }
}

/// The time of the event, or of its observation when the source has no clock.
fn time_nanos(record: &LogRecord) -> u64 {
    match record.time_unix_nano {
        0 => record.observed_time_unix_nano,
        nanos => nanos,
    }
}

fn rfc3339(nanos: u64) -> String {
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    DateTime::from_timestamp_nanos(nanos).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// The source's own word, or else the short name of the number (`INFO`, `WARN2`).
fn severity(record: &LogRecord) -> String {
    if !record.severity_text.is_empty() {
        return record.severity_text.clone();
    }
    let name = SeverityNumber::try_from(record.severity_number)
        .unwrap_or_default()
        .as_str_name();
    name.trim_start_matches("SEVERITY_NUMBER_").to_owned()
}
