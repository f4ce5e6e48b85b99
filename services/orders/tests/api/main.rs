#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod classified;
mod door;
mod hang_up;
mod helpers;
mod idempotency;
mod kafka;
mod outbox;
mod place;
mod read;
mod ready;
mod resend;
mod settings;
mod status;
mod upgrade;
mod wrong_input;
