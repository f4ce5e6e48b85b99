#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod classified;
mod helpers;
mod kafka;
mod outbox;
mod place;
mod read;
mod ready;
mod settings;
mod status;
mod wrong_input;
