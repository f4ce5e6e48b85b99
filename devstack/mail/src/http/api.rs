//! The REST API, with `MailDev` 2.2's paths, parameters and JSON.
//!
//! Three things differ, all where `MailDev` would mislead: a missing message is a 404 when deleted too, a `skip` that is no number is refused, and the list has a `limit` and says in its headers how much there is and how much was dropped.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::email::values;
use crate::mailbox::{Kept, Mailbox};

/// How many messages match, before `skip` and `limit`.
const TOTAL: HeaderName = HeaderName::from_static("x-total-count");
/// How many old messages had to make room since the start.
const DROPPED: HeaderName = HeaderName::from_static("x-dropped-count");

pub(super) async fn health() -> Json<bool> {
    Json(true)
}

/// `GET /email`: all messages, or those whose fields equal all the given ones, oldest first.
pub(super) async fn list(
    State(mailbox): State<Arc<Mailbox>>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let selection = Selection::parse(parameters)?;
    let snapshot = mailbox.snapshot();
    let matching: Vec<_> = snapshot
        .messages
        .iter()
        .filter(|kept| selection.matches(kept))
        .collect();
    let page = matching.iter().skip(selection.skip).take(selection.limit);
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (TOTAL, matching.len().to_string()),
        (DROPPED, snapshot.dropped.to_string()),
    ];
    Ok((headers, json_list(page.map(|kept| kept.json.as_ref()))).into_response())
}

pub(super) async fn get(
    State(mailbox): State<Arc<Mailbox>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let kept = mailbox.get(&id).ok_or(ApiError::NotFound)?;
    Ok((
        [(header::CONTENT_TYPE, "application/json")],
        kept.json.clone(),
    )
        .into_response())
}

/// The message as it was sent, as plain text that no browser will mistake for a page.
pub(super) async fn source(
    State(mailbox): State<Arc<Mailbox>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let kept = mailbox.get(&id).ok_or(ApiError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, kept.source.clone()).into_response())
}

pub(super) async fn delete(
    State(mailbox): State<Arc<Mailbox>>,
    Path(id): Path<String>,
) -> Result<Json<bool>, ApiError> {
    if mailbox.delete(&id) {
        Ok(Json(true))
    } else {
        Err(ApiError::NotFound)
    }
}

pub(super) async fn delete_all(State(mailbox): State<Arc<Mailbox>>) -> Json<bool> {
    mailbox.clear();
    Json(true)
}

/// Which messages a list shows.
#[derive(Debug)]
struct Selection {
    skip: usize,
    limit: usize,
    /// Dotted paths and the values they must have.
    filters: Vec<(String, String)>,
}

impl Selection {
    fn parse(parameters: Vec<(String, String)>) -> Result<Self, ApiError> {
        let mut selection = Self {
            skip: 0,
            limit: usize::MAX,
            filters: Vec::new(),
        };
        for (name, value) in parameters {
            match name.as_str() {
                "skip" => selection.skip = number("skip", &value)?,
                "limit" => selection.limit = number("limit", &value)?,
                _ => selection.filters.push((name, value)),
            }
        }
        Ok(selection)
    }

    fn matches(&self, kept: &Kept) -> bool {
        let equals =
            |(path, value): &(String, String)| values(&kept.email, path).contains(&value.as_str());
        self.filters.iter().all(equals)
    }
}

fn number(name: &'static str, value: &str) -> Result<usize, ApiError> {
    value.parse().map_err(|_| ApiError::NotANumber(name))
}

/// Puts values that are JSON already into a list.
fn json_list<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut list = vec![b'['];
    for value in values {
        if list.len() > 1 {
            list.push(b',');
        }
        list.extend_from_slice(value);
    }
    list.push(b']');
    list
}

#[derive(Debug)]
pub(super) enum ApiError {
    NotFound,
    NotANumber(&'static str),
    BadFaults(String),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Email was not found".to_owned()),
            Self::NotANumber(name) => (StatusCode::BAD_REQUEST, format!("{name} must be a number")),
            Self::BadFaults(error) => (StatusCode::BAD_REQUEST, error),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}
