//! How a second terminal reaches the command that runs: a socket in the folder, a question and an answer per line.
//!
//! A socket, since an answer is waited for: that `orders` has stopped is said when it has.

mod client;
mod server;

use serde::{Deserialize, Serialize};

use crate::keep::{Outcome, PartStatus, Wish};

pub(crate) use client::{ask, status};
pub(crate) use server::serve;

/// The name of the socket in the stack's folder.
const SOCKET: &str = "control";

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// How is every part doing?
    Status,
    /// Do this with a part.
    Wish { part: String, wish: Wish },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Parts(Vec<PartStatus>),
    Outcome(Outcome),
}

#[cfg(test)]
mod tests;
