#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod embeddings_api;
mod failed;
mod helpers;
mod intake;
mod inventory;
mod kafka;
mod outcome;
mod ready;
mod settings;
mod sqs_server;
mod startup;
