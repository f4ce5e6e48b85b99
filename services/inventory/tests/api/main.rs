#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod ended;
mod hang_up;
mod helpers;
mod holds;
mod kafka;
mod migration;
mod ready;
mod settings;
mod stock;
mod traces;
