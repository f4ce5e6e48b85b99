//! The command as its users start it, with the real PostgreSQL, Kafka and stand-ins and with five small processes in
//! the places of the services.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod detached;
mod dlq;
mod experiments;
mod helpers;
mod killed;
mod leftovers;
mod running;
mod stopping;
mod taken;
mod traffic;
