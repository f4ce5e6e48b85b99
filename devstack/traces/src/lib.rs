//! A trace store in memory: OTLP in, Jaeger's query API out.
//!
//! It stands in for the OpenTelemetry Collector and Jaeger where neither is at hand.
//! Everything is lost when it stops.

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod ids;
mod index;
mod intern;
mod limits;
mod logs;
mod otlp;
mod page;
mod query;
mod search;
mod server;
mod source;
mod span;
mod spans;
mod stats;
mod store;
#[cfg(test)]
mod testing;
mod trace;
mod values;

pub use limits::Limits;
pub use server::{Listeners, serve};
