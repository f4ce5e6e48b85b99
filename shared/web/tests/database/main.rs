//! The pool of connections to a real PostgreSQL: what it hands out, and what the server ends by itself.

#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod frozen;
mod helpers;
mod migrations;
mod read_only;
mod timeouts;
mod transactions;
