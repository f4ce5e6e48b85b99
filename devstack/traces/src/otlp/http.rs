//! OTLP over HTTP: `POST /v1/traces`, `/v1/logs`, `/v1/metrics`, as protobuf or as JSON.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tonic::Code;
use tower_http::decompression::RequestDecompressionLayer;

use super::{export, json};
use crate::store::Store;

/// The three paths. `max_request_bytes` holds after decompression, so a small body cannot unfold into a large one.
pub(crate) fn router(store: Arc<Store>, max_request_bytes: usize) -> Router {
    Router::new()
        .route("/v1/traces", post(traces))
        .route("/v1/logs", post(logs))
        .route("/v1/metrics", post(metrics))
        .layer(DefaultBodyLimit::max(max_request_bytes))
        // An encoding it does not know is passed through, so that `Export` can answer with an OTLP error.
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        .with_state(store)
}

async fn traces(State(store): State<Arc<Store>>, export: Export) -> Result<Response, ExportError> {
    let response = export::traces(&store, export.decode()?);
    let partial = response.partial_success.as_ref();
    let partial = partial.map(|it| ("rejectedSpans", it.rejected_spans, &it.error_message));
    Ok(export.reply(&response, partial))
}

async fn logs(State(store): State<Arc<Store>>, export: Export) -> Result<Response, ExportError> {
    let response = export::logs(&store, export.decode()?);
    let partial = response.partial_success.as_ref();
    let name = "rejectedLogRecords";
    let partial = partial.map(|it| (name, it.rejected_log_records, &it.error_message));
    Ok(export.reply(&response, partial))
}

async fn metrics(State(store): State<Arc<Store>>, export: Export) -> Result<Response, ExportError> {
    let response = export::metrics(&store, &export.decode()?);
    Ok(export.reply(&response, None))
}

/// The body of an export, read and decompressed.
#[derive(Debug)]
struct Export {
    encoding: Encoding,
    body: Bytes,
}

/// The encoding of the request, which the response has to have too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

/// A refused export: the answer carries a `google.rpc.Status`.
#[derive(Debug)]
struct ExportError {
    encoding: Encoding,
    status: StatusCode,
    message: String,
}

impl<S: Send + Sync> FromRequest<S> for Export {
    type Rejection = ExportError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ExportError> {
        let encoding = Encoding::of(request.headers())?;
        let refuse = |status, message| ExportError {
            encoding,
            status,
            message,
        };
        if let Some(content_encoding) = request.headers().get(CONTENT_ENCODING)
            && content_encoding != "identity"
        {
            let message = "content-encoding is none of gzip, deflate, zstd, identity".to_owned();
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        match Bytes::from_request(request, state).await {
            Ok(body) => Ok(Self { encoding, body }),
            Err(rejection) => Err(refuse(rejection.status(), rejection.body_text())),
        }
    }
}

impl Export {
    fn decode<T: Message + Default + DeserializeOwned>(&self) -> Result<T, ExportError> {
        let decoded = match self.encoding {
            Encoding::Protobuf => T::decode(self.body.clone()).map_err(|error| error.to_string()),
            Encoding::Json => json::decode(&self.body).map_err(|error| error.to_string()),
        };
        decoded.map_err(|message| ExportError {
            encoding: self.encoding,
            status: StatusCode::BAD_REQUEST,
            message,
        })
    }

    /// `partial` is the `partial_success` of the response, which JSON wants with its number as text.
    fn reply(&self, response: &impl Message, partial: Option<(&str, i64, &String)>) -> Response {
        let json = partial.map_or_else(
            || json!({}),
            |(name, count, reason)| {
                json!({ "partialSuccess": { name: count.to_string(), "errorMessage": reason } })
            },
        );
        self.encoding.reply(StatusCode::OK, response, &json)
    }
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, ExportError> {
        let header = headers.get(CONTENT_TYPE);
        let header = header.and_then(|value| value.to_str().ok());
        let media_type = header.and_then(|value| value.split(';').next());
        let media_type = media_type.unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/x-protobuf" => Ok(Self::Protobuf),
            "application/json" => Ok(Self::Json),
            _ => Err(ExportError {
                encoding: Self::Json,
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                message: "content-type is neither application/x-protobuf nor application/json"
                    .to_owned(),
            }),
        }
    }

    fn reply(self, status: StatusCode, protobuf: &impl Message, json: &Value) -> Response {
        match self {
            Self::Protobuf => {
                let content_type = [(CONTENT_TYPE, "application/x-protobuf")];
                (status, content_type, protobuf.encode_to_vec()).into_response()
            }
            Self::Json => (status, axum::Json(json)).into_response(),
        }
    }
}

impl IntoResponse for ExportError {
    fn into_response(self) -> Response {
        let code = match self.status {
            StatusCode::PAYLOAD_TOO_LARGE => Code::ResourceExhausted,
            _ => Code::InvalidArgument,
        };
        let json = json!({ "code": i32::from(code), "message": self.message });
        let status = tonic_types::Status {
            code: code.into(),
            message: self.message,
            details: Vec::new(),
        };
        self.encoding.reply(self.status, &status, &json)
    }
}
