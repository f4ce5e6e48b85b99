//! Start and stop of telemetry, and the spans of HTTP and SQL.
//!
//! ```no_run
//! # #[tokio::main] async fn main() -> anyhow::Result<()> {
//! let telemetry = telemetry::start("orders")?;
//! // … the whole life of the service …
//! telemetry.stop().await; // after an error too: the last spans explain it
//! # Ok(()) }
//! ```
//!
//! Spans are made with `tracing` everywhere, and only bridged to OpenTelemetry here:
//! two ways of making spans in one process lose each other's parents.
//!
//! Sampling, exporters, propagators and resource attributes follow the standard `OTEL_*` variables
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>) and nothing else.

mod baggage;
mod console;
mod current;
mod environment;
mod export;
mod faults;
pub mod http;
mod limits;
mod losses;
mod otlp;
mod propagation;
mod size;
pub mod sql;
mod start;
#[cfg(feature = "testing")]
pub mod testing;

pub use current::{fail, in_current_context, set_attribute, trace_id};
pub use faults::{Faults, Hop};
pub use start::{SETTINGS_HELP, STOP_WITHIN, Telemetry, logs_alone, start};
