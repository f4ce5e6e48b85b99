//! HTTP as the conventions want it: SERVER and CLIENT spans by maintained crates, and what they leave to us.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>

mod client;
mod server;
mod url;

pub use client::{Client, client, foreign_client};
pub use server::{Trust, edge, server};
pub use url::bare_host;
