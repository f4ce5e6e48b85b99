//! What every service has over HTTP: requests that are taken or refused with a problem document, health, and the server.

#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helper functions too"
)]

mod bodies;
mod connections;
mod heads;
mod health;
mod helpers;
mod requests;
mod serving;
