#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod failures;
mod health;
mod helpers;
mod inventory;
mod orders;
mod settings;
mod traces;
