//! What every service needs around its own work: settings, waiting for dependencies, HTTP doors, shutdown.
//!
//! | module | what it gives |
//! |---|---|
//! | [`settings`] | one readable line for a wrong setting, and for an error that ends a service |
//! | [`startup`], [`database`] | waiting for what is not there yet, with a deadline |
//! | [`server`] | listening, serving, draining |
//! | [`mod@health`] | `/healthz` and `/readyz` |
//! | [`remote`] | the services that are called: their URLs, and whether they are up |
//! | [`extract`] | bodies, paths and queries, parsed into domain types |
//! | [`problem`] | errors as RFC 9457 problem documents |

mod body;
pub mod database;
pub mod extract;
pub mod health;
mod healthcheck;
pub mod problem;
pub mod remote;
pub mod server;
pub mod settings;
pub mod startup;
#[cfg(feature = "testing")]
pub mod testing;

pub use database::{DatabaseArgs, refuses_data};
pub use extract::{Json, Path, Query};
pub use health::{Readiness, health};
pub use problem::Problem;
pub use remote::{Probe, below};
pub use server::{Parts, api, bind, serve, shutdown_signal};
pub use settings::{base_url, exit, parse};
pub use startup::{Dependency, StartupArgs, wait_for};
