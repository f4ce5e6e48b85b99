//! One model of a trace: an order's spans, how they hang together, and their drawing.
//!
//! An order crosses HTTP, an outbox, Kafka, SQS and Pub/Sub.
//! A [`Story`] is everything that can be reached from one of its traces over parents *and* links.
//! It knows whether it is whole ([`Story::flaw`]), and lays itself out in rows ([`Story::chart`]), which [`waterfall`]
//! draws on a terminal and a page can draw in its own way.

mod chart;
mod client;
mod gather;
mod otlp;
mod span;
mod story;
mod strays;
pub mod waterfall;
mod whole;

pub use chart::{Chart, Note, Row, Tree};
pub use client::{ClientError, JaegerClient};
pub use otlp::{DecodeError, attributes, json, text};
pub use serde_json::Value;
pub use span::{Attributes, Event, InvalidId, Kind, Span, SpanId, SpanRef, Status, TraceId};
pub use story::{Delivered, Story};
pub use strays::Strays;
pub use whole::{Flaw, SERVICES, Untaken, is_traced};
