//! Understands one order's linked trace: fetches it, draws it, and checks it against the trace contract.
//!
//! An order crosses HTTP, an outbox, Kafka, SQS and Pub/Sub.
//! A [`Story`] is everything that can be reached from one of its traces over parents *and* links;
//! [`waterfall`] draws it for a person, and [`contract`] says whether it is whole.

mod client;
pub mod contract;
#[cfg(test)]
mod fixtures;
mod otlp;
mod span;
mod story;
pub mod waterfall;

pub use client::{Backlink, ClientError, JaegerClient};
pub use otlp::DecodeError;
pub use span::{Attributes, Event, InvalidId, Kind, Span, SpanId, SpanRef, Status, TraceId, Value};
pub use story::Story;
