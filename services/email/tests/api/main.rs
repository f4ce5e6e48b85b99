#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod dead_letter;
mod helpers;
mod mail_server;
mod once;
mod pubsub_server;
mod ready;
mod retry;
mod send;
mod settings;
mod strict_smtp;
