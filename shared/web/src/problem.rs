//! Errors as RFC 9457 problem documents: <https://www.rfc-editor.org/rfc/rfc9457>.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// The media type of a problem document.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An error for a caller to read.
///
/// ```json
/// {"type": "about:blank", "title": "Unprocessable Entity", "status": 422,
///  "detail": "quantity must be an integer between 1 and 1000000, not 0",
///  "trace_id": "0af7651916cd43dd8448eb211c80319c",
///  "errors": [{"pointer": "#/items/0/quantity", "detail": "quantity must be …"}]}
/// ```
///
/// There is no `instance`: the trace id already tells one occurrence from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    kind: Option<&'static str>,
    detail: Option<String>,
    errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where it is in the body: a JSON pointer as a URI fragment (RFC 6901 §6).
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem about which no more is said than its status.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            kind: None,
            detail: None,
            errors: Vec::new(),
        }
    }

    /// A problem that its reader can do nothing about. It is logged here, and its text stays here.
    pub fn unexpected(error: impl Into<anyhow::Error>) -> Self {
        let error = format!("{:#}", error.into());
        tracing::error!(error, "a request failed unexpectedly");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR).detail("something went wrong on our side")
    }

    /// Tells this kind of problem from others of the same status, by a stable URI.
    pub fn kind(mut self, uri: &'static str) -> Self {
        self.kind = Some(uri);
        self
    }

    /// Says what is wrong, in a sentence for the caller.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what is wrong with the field at `pointer`.
    pub fn field(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        });
        self
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: self.kind.unwrap_or("about:blank"),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail.as_deref(),
            trace_id: telemetry::trace_id(),
            errors: &self.errors,
        };
        let mut response = (self.status, axum::Json(document)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, MEDIA_TYPE);
        response
    }
}
