// The examples in it are about Kafka.
#![cfg_attr(feature = "kafka", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "kafka", feature = "pubsub", feature = "sqs")),
    allow(
        dead_code,
        reason = "some of what the brokers share serves two of them, or one"
    )
)]

mod codec;
mod consumer;
mod context;
mod dead_letter;
mod delivery;
mod destination;
mod driver;
mod error;
mod gate;
mod handler;
mod headers;
#[cfg(feature = "kafka")]
pub mod kafka;
mod lanes;
mod producer;
#[cfg(feature = "pubsub")]
pub mod pubsub;
mod redrive;
mod settings;
mod source;
mod span;
#[cfg(feature = "sqs")]
pub mod sqs;
pub mod stack;
#[cfg(test)]
mod testing;

pub use codec::{Bytes, Decode, Encode, Json, Nullable, Raw};
pub use consumer::{Consumer, Probe};
pub use context::StoredContext;
pub use dead_letter::{DeadLetters, Letter};
pub use delivery::{Delivery, Origin};
pub use error::{ConnectError, Dependency, ErrorType, HandlerError, ReceiveError, SendError};
pub use handler::{BatchHandler, Deliveries, Handler, PendingDelivery};
pub use headers::Headers;
pub use producer::{Outgoing, Producer, Sent};
pub use redrive::{DeadLetter, Redriven};
pub use settings::{Backoff, Relation, Settings};
