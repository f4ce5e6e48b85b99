#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod embeddings_api;
mod failed;
mod finding;
mod gate;
mod helpers;
mod intake;
mod inventory;
mod kafka;

mod ready;
mod settings;
mod sqs_server;
mod startup;
