// The examples in it are about Kafka.
#![cfg_attr(feature = "kafka", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "kafka", feature = "pubsub", feature = "sqs")),
    allow(
        dead_code,
        reason = "some of what the brokers share serves two of them, or one"
    )
)]

mod context;
mod error;
mod handler;
#[cfg(feature = "kafka")]
pub mod kafka;
mod process;
#[cfg(feature = "pubsub")]
pub mod pubsub;
mod settings;
mod shutdown;
mod span;
#[cfg(feature = "sqs")]
pub mod sqs;

pub use context::StoredContext;
pub use error::{ConnectError, Dependency, HandlerError, SendError};
pub use handler::{Delivery, Handler};
pub use settings::{Relation, Settings};
