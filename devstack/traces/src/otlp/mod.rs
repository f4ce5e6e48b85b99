//! The doors: OTLP over gRPC and over HTTP.
//!
//! Spec: <https://opentelemetry.io/docs/specs/otlp/>

mod export;
pub(crate) mod grpc;
pub(crate) mod http;
mod json;
