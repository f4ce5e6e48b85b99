//! Sends to a running store over every protocol, and reads back over every query path.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod grpc;
mod helpers;
mod limits;
mod orderflow;
mod other_pages;
mod otlp_http;
mod page;
mod sdk;
mod shutdown;
mod v3;
