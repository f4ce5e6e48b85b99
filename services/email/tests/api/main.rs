#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod claims;
mod dead_letter;
mod helpers;
mod kafka;
mod mail_server;
mod migration;
mod once;
mod put_off;
mod ready;
mod retry;
mod send;
mod settings;
mod slow;
mod smtp;
mod unavailable;
