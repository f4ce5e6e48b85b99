//! A PostgreSQL server in a private folder, for the embedded mode and for tests.
//!
//! It is the real server: the system's own programs (PostgreSQL 15 or newer, wherever the usual packages put them),
//! else a copy that the crate `postgresql_embedded` downloads once.
//! It listens on loopback only, trusts whoever reaches it there, and ends when the process that started it ends.

mod account;
mod programs;
mod server;
pub mod testing;

pub use server::{Error, Options, Server, create_database};
