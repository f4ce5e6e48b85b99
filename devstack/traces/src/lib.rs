//! A trace store in memory: OTLP in, Jaeger's query API out.
//!
//! It stands in for the OpenTelemetry Collector and Jaeger where neither is at hand.
//! Everything is lost when it stops.

mod backlinks;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod ids;
mod kept;
mod limits;
mod otlp;
mod page;
mod query;
mod search;
mod server;
mod source;
mod span;
mod store;
#[cfg(test)]
mod testing;
mod trace;

pub use limits::Limits;
pub use server::{Listeners, serve};
