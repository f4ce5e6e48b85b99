//! A stand-in for Amazon SQS: standard and FIFO queues in memory, for development and tests.
//!
//! It speaks AWS JSON 1.0, and keeps to the limits and error codes of the real service;
//! what it leaves out stands in its README.
//! Nothing is written to disk: messages end with the process.
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! use sqs::{QueueConfig, Queues};
//!
//! let queues = Queues::new()
//!     .with_queue(QueueConfig::new("jobs").with_redrive("jobs-dlq", 20))
//!     .with_queue(QueueConfig::new("jobs-dlq"));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9324").await?;
//! let shutdown = tokio_util::sync::CancellationToken::new();
//! sqs::serve(listener, queues, shutdown).await
//! # }
//! ```

mod clock;
mod config;
mod emulator;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod limits;
mod message;
mod message_attributes;
mod operations;
mod queue;
mod queue_set;
mod server;

pub use config::{QueueConfig, Queues, Redrive};
pub use server::serve;
