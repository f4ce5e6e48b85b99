#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod helpers;
mod release;
mod reserve;
mod settings;
mod stock;
mod traces;
