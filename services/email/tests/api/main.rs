#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod dead_letter;
mod helpers;
mod mail_server;
mod once;
mod ready;
mod retry;
mod send;
mod settings;
mod slow;
mod slow_smtp;
mod strict_smtp;
