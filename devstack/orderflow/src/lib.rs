//! The embedded mode of OrderFlow: one command that starts PostgreSQL, Kafka, SQS, Pub/Sub, mail, embeddings,
//! the trace store and the five services on loopback, drives orders through them and shows their traces.
//!
//! One file per subcommand (`up`, `down`, `env`, `status`, `traffic`, `trace`, `dlq`, `demo`).
//! What they share: `table` (every server that a stack may need, a row each), `flags` (from the command line to what
//! services are told), `rundir` (its folder, and the lock on it), `process` and `parts` (how it is started),
//! `stack` (start all, stop all), `keep` (what becomes of a part that dies) and `control` (how a second terminal asks
//! for a part to be stopped or paused).

mod answers;
mod cli;
mod context;
mod control;
mod demo;
mod dlq;
mod down;
mod env;
mod explain;
mod flags;
mod gateway;
mod install;
mod keep;
mod log_line;
mod part_log;
mod parts;
mod ports;
mod process;
mod register;
mod rundir;
mod screen;
mod service;
mod settings;
mod shell;
mod signals;
mod stack;
mod status;
mod table;
mod targets;
pub mod topology;
mod trace;
mod traffic;
mod tree;
mod up;

use std::io;

pub use cli::{Cli, run};
pub use ports::listen_on_free_port;
pub use screen::tell_error;
pub use shell::{leave as leave_shell, refusal};
pub use stack::STOP_LIMIT;
pub use table::native_titles;

/// Whether this error is only the reader of our output having left.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.any(|cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe)
}
