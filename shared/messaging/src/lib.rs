#![doc = include_str!("../README.md")]

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
