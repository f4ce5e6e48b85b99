//! What every service needs around its own work: settings, waiting for dependencies, HTTP doors, shutdown.
//!
//! | module | what it gives |
//! |---|---|
//! | [`settings`] | one readable line for a wrong setting, and for an error that ends a service |
//! | [`startup`] | waiting for what is not there yet: with a deadline, or beside the work |
//! | [`database`] | a pool that hands out nobody else's transaction |
//! | [`server`] | listening, serving within [`Limits`], draining |
//! | [`mod@health`] | `/healthz`, and `/readyz` for what is needed and what is not needed at once |
//! | [`remote`] | the services that are called: their URLs, and whether they are up |
//! | [`extract`] | bodies, paths and queries, parsed into domain types |
//! | [`problem`] | errors as RFC 9457 problem documents |
//! | [`uncancelled()`] | work that a hang-up does not end |

mod body;
mod connections;
pub mod database;
pub mod extract;
pub mod health;
mod healthcheck;
mod limits;
pub mod problem;
pub mod remote;
pub mod server;
pub mod settings;
pub mod startup;
#[cfg(feature = "testing")]
pub mod testing;
mod uncancelled;

pub use database::{DatabaseArgs, refuses_data};
pub use extract::{Json, Path, Query};
pub use health::{Readiness, health};
pub use limits::Limits;
pub use problem::Problem;
pub use remote::{Probe, below};
pub use server::{DRAIN, Parts, api, bind, serve, serve_within, shutdown_signal};
pub use settings::{base_url, exit, parse};
pub use startup::{Awaited, Dependency, StartupArgs, eventually, wait_for};
pub use uncancelled::uncancelled;
