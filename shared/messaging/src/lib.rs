//! Producers and consumers for Kafka, SQS and Pub/Sub that keep one trace in one piece.
//!
//! [`kafka`], [`sqs`] and [`pubsub`] hold the same types with the same methods;
//! a diff of two of them shows what the brokers do differently, and nothing else.
//!
//! A producer makes a `send` span and puts its context into the message.
//! A consumer is three broker verbs, receive → describe → settle; everything between is the same for all:
//! extract the context, make a `process` span that is child of and linked to the `send` span, decode, call the
//! [`Handler`], and settle by what it decided.
//!
//! | a handler answers | the message is |
//! |---|---|
//! | `Ok(())` | settled |
//! | [`HandlerError::Retry`] | delivered again after a growing delay, a bounded number of times, then dead-lettered |
//! | [`HandlerError::Reject`] | dead-lettered at once, with the reason |
//!
//! Delivery is at least once: handlers are idempotent, and say how.
//!
//! Spans follow <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>.
//! Settling makes no span of its own: it is the end of `process`.

mod context;
mod error;
mod handler;
pub mod kafka;
mod process;
pub mod pubsub;
mod settings;
mod span;
pub mod sqs;

pub use context::StoredContext;
pub use error::{ConnectError, Dependency, HandlerError, SendError};
pub use handler::{Delivery, Handler};
pub use settings::{Relation, Settings};
