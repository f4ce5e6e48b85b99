//! The spans of HTTP and SQL, as an exporter gets them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod baggage;
mod client;
mod context;
mod server;
mod sql;
