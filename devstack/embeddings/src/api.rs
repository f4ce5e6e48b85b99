//! The HTTP API, as described in OpenAI's API reference under "Embeddings" and "Models".

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router, body::Bytes};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use standin::faults::{Faults, switches};

use crate::error::ApiError;
use crate::faults::{self, Fault, MAX_BODY_BYTES};
use crate::model::{self, Text};

/// OpenAI's own limit for one request.
const MAX_INPUTS: usize = 2048;
/// OpenAI's limit is 8192 tokens for one input; a word stands for a token here.
const MAX_WORDS: usize = 8192;

pub(crate) fn router(faults: Vec<Fault>) -> Router {
    let faults = Arc::new(Faults::new(faults));
    let refuse = |error| ApiError::request(StatusCode::BAD_REQUEST, error).into_response();
    Router::new()
        .route("/v1/embeddings", post(create))
        .route("/v1/models", get(list_models))
        .route("/v1/models/{model}", get(get_model))
        .route_layer(from_fn_with_state(faults.clone(), faults::stand_before))
        .route("/faults", switches(refuse))
        .with_state(faults)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .merge(web::health(web::Readiness::new()))
}

/// The fields of a request that mean something here; others, such as `user`, are ignored.
#[derive(Debug, Deserialize)]
struct EmbeddingsRequest {
    /// Kept as a value, because the three shapes OpenAI allows each deserve their own error message.
    #[serde(default)]
    input: Value,
    model: String,
    #[serde(default)]
    encoding_format: EncodingFormat,
    dimensions: Option<usize>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EncodingFormat {
    #[default]
    Float,
    Base64,
}

/// One vector, in the encoding that was asked for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Vector {
    Float(Vec<f32>),
    Base64(String),
}

impl EncodingFormat {
    /// Base64 is that of the numbers as little-endian 32-bit floats, one after another.
    fn encode(self, vector: Vec<f32>) -> Vector {
        match self {
            Self::Float => Vector::Float(vector),
            Self::Base64 => {
                let bytes: Vec<u8> = vector.into_iter().flat_map(f32::to_le_bytes).collect();
                Vector::Base64(BASE64_STANDARD.encode(bytes))
            }
        }
    }
}

async fn create(body: Result<Bytes, BytesRejection>) -> Result<Json<Value>, ApiError> {
    let body = body.map_err(|error| ApiError::request(error.status(), error.body_text()))?;
    let request: EmbeddingsRequest = serde_json::from_slice(&body).map_err(|error| {
        let message = format!("We could not parse the JSON body of your request: {error}");
        ApiError::request(StatusCode::BAD_REQUEST, message)
    })?;
    if request.model != model::NAME {
        return Err(ApiError::unknown_model(&request.model));
    }
    let dimensions = parse_dimensions(request.dimensions)?;
    let texts = parse_input(&request.input)?;
    Ok(Json(answer(&texts, dimensions, request.encoding_format)))
}

fn answer(texts: &[Text<'_>], dimensions: usize, format: EncodingFormat) -> Value {
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let embedding = format.encode(text.embed(dimensions));
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let words: usize = texts.iter().map(Text::word_count).sum();
    json!({
        "object": "list",
        "data": data,
        "model": model::NAME,
        "usage": { "prompt_tokens": words, "total_tokens": words },
    })
}

fn parse_dimensions(asked: Option<usize>) -> Result<usize, ApiError> {
    match asked {
        None => Ok(model::DIMENSIONS),
        Some(n) if (1..=model::DIMENSIONS).contains(&n) => Ok(n),
        Some(n) => {
            let message = format!("{n} is not between 1 and {}.", model::DIMENSIONS);
            Err(ApiError::field("dimensions", message))
        }
    }
}

fn parse_input(input: &Value) -> Result<Vec<Text<'_>>, ApiError> {
    let refuse = |message: &str| Err(ApiError::field("input", message));
    match input {
        Value::String(text) => Ok(vec![parse_text(text)?]),
        Value::Array(list) if list.is_empty() => refuse("The list of inputs is empty."),
        Value::Array(list) if list.iter().any(|item| item.is_number() || item.is_array()) => {
            refuse("Token arrays are not supported: this model has no tokens. Send the text.")
        }
        Value::Array(list) if list.len() > MAX_INPUTS => refuse(&format!(
            "{} inputs; at most {MAX_INPUTS} are allowed.",
            list.len()
        )),
        Value::Array(list) => {
            let texts = list.iter().map(|item| match item.as_str() {
                Some(text) => parse_text(text),
                None => Err(ApiError::field("input", "Every input must be a string.")),
            });
            texts.collect()
        }
        Value::Null => refuse("You must provide an input."),
        _ => refuse("The input must be a string or a list of strings."),
    }
}

fn parse_text(raw: &str) -> Result<Text<'_>, ApiError> {
    let text = Text::new(raw);
    let message = match text.word_count() {
        _ if raw.is_empty() => "An input cannot be an empty string.".to_owned(),
        words if words > MAX_WORDS => format!("{words} words; at most {MAX_WORDS} are allowed."),
        _ => return Ok(text),
    };
    Err(ApiError::field("input", message))
}

async fn list_models() -> Json<Value> {
    Json(json!({ "object": "list", "data": [describe_model()] }))
}

async fn get_model(Path(asked): Path<String>) -> Result<Json<Value>, ApiError> {
    if asked == model::NAME {
        Ok(Json(describe_model()))
    } else {
        Err(ApiError::unknown_model(&asked))
    }
}

/// `created` is required by the API; the model has no date, so it is the epoch.
fn describe_model() -> Value {
    json!({ "id": model::NAME, "object": "model", "created": 0, "owned_by": "orderflow" })
}

async fn unknown_path(method: Method, uri: Uri) -> ApiError {
    let message = format!("Unknown request URL: {method} {}.", uri.path());
    ApiError::request(StatusCode::NOT_FOUND, message)
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    let message = format!("Not allowed to {method} on {}.", uri.path());
    ApiError::request(StatusCode::METHOD_NOT_ALLOWED, message)
}
