//! The server as the official SDK sees it, over real connections.

#![expect(
    clippy::unwrap_used,
    reason = "clippy spares the functions marked as tests, not those that help them"
)]

mod attributes;
mod batches;
mod errors;
mod fifo;
mod helpers;
mod long_polling;
mod pages;
mod queues;
mod redrive;
mod shutdown;
