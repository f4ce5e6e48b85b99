//! The parts of a request as domain types; what does not parse is answered with a problem that says where.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_path_to_error::{Segment, Track};

use crate::body;
use crate::problem::Problem;

/// Longer texts than this tell back more of what was sent than helps.
const MAX_DETAIL: usize = 300;

/// What a URI may not hold as it is (RFC 3986 §2.3).
const NOT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A JSON body: an object.
///
/// | what is wrong | status |
/// |---|---|
/// | the content type is missing or not JSON | 415 |
/// | longer than 256 KiB | 413 |
/// | not JSON | 400, with line and column |
/// | an array, which serde would take for an object that names no fields | 422 |
/// | JSON, but not a `T` | 422, with a pointer to the field |
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .detail("the body must be sent with content-type: application/json"));
        }
        let bytes = body::read(request).await?;
        refuse_array(&bytes)?;
        parse(&bytes).map(Self)
    }
}

/// `application/json` and the types whose syntax is JSON, such as `application/merge-patch+json` (RFC 6839 §3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn refuse_array(bytes: &[u8]) -> Result<(), Problem> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        let detail = "the body must be an object, not an array";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
            .detail(detail)
            .field("#", detail));
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut track = Track::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = T::deserialize(serde_path_to_error::Deserializer::new(
        &mut json, &mut track,
    ));
    let error = match parsed.and_then(|value| json.end().map(|()| value)) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match error.classify() {
        Category::Data => Err(wrong_field(&track.path(), &error)),
        // A number such as 1e400 is JSON all the same, and so is a null where there must be a word.
        Category::Syntax if is_json_text(bytes) => Err(wrong_field(&track.path(), &error)),
        Category::Syntax | Category::Eof | Category::Io => {
            Err(Problem::new(StatusCode::BAD_REQUEST)
                .detail(format!("the body is not JSON: {error}")))
        }
    }
}

fn is_json_text(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes);
    text.is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

fn wrong_field(path: &serde_path_to_error::Path, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    // The pointer says where better than " at line 1 column 80" does.
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(text, _)| text);
    let detail = shorten(text);
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
        .detail(detail.clone())
        .field(pointer(path, named_field(text)), detail)
}

/// Serde reports a field that is missing, or there twice, at the object around it.
fn named_field(text: &str) -> Option<&str> {
    let name = text
        .strip_prefix("missing field `")
        .or_else(|| text.strip_prefix("duplicate field `"))?;
    name.strip_suffix('`')
}

/// A JSON pointer as a URI fragment: <https://www.rfc-editor.org/rfc/rfc6901#section-6>.
fn pointer(path: &serde_path_to_error::Path, last: Option<&str>) -> String {
    let mut pointer = String::from("#");
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { variant } => push(&mut pointer, variant),
            Segment::Unknown => {}
        }
    }
    if let Some(last) = last {
        push(&mut pointer, last);
    }
    shorten(&pointer)
}

fn push(pointer: &mut String, token: &str) {
    let token = token.replace('~', "~0").replace('/', "~1");
    pointer.push('/');
    pointer.extend(utf8_percent_encode(&token, NOT_UNRESERVED));
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_DETAIL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The parameters of the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                Err(wrong_path(error.into_kind()))
            }
            // The route names no parameter: that is our own fault.
            Err(rejection) => Err(Problem::unexpected(rejection)),
        }
    }
}

fn wrong_path(kind: ErrorKind) -> Problem {
    let reason = match kind {
        ErrorKind::Message(message) | ErrorKind::DeserializeError { message, .. } => message,
        other => other.to_string(),
    };
    Problem::new(StatusCode::BAD_REQUEST).detail(shorten(&reason))
}

/// The parameters of the query.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                Err(Problem::new(StatusCode::BAD_REQUEST).detail(shorten(&rejection.body_text())))
            }
        }
    }
}
