//! How every other command reaches the one that runs: a socket in the folder, a question and an answer per line.
//!
//! A socket, since an answer is waited for, is never that of a command that has gone, and leaves nothing on the disk:
//! among the addresses are keys.

mod client;
mod server;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::register::{Outcome, PartStatus, Wish};
use crate::settings::Addresses;

pub(crate) use client::ask;
pub(crate) use server::serve;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    /// What runs, and how is it doing?
    Status,
    /// Do this with a part.
    Wish { part: String, wish: Wish },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Run(Box<Run>),
    Outcome(Outcome),
}

/// What runs in a folder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The process of the `orderflow` command itself; everything is below it.
    pub(crate) command: u32,
    /// Where everything listens; absent until everything is ready.
    addresses: Option<Addresses>,
    /// The faults that are switched on, each as `NAME=value`.
    pub(crate) faults: Vec<String>,
    pub(crate) parts: Vec<PartStatus>,
}

/// The faults that our environment switches on; the services inherit them.
pub(crate) fn faults() -> Vec<String> {
    let environment = std::env::vars_os();
    let settings = environment
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut faults: Vec<_> = settings
        .filter(|(name, value)| name.starts_with("FAULT_") && !value.trim().is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    faults.sort();
    faults
}

/// The socket of a stack, in a folder of its own that nobody else may enter: not every system asks for the rights of a
/// socket itself. Its path may have about a hundred bytes, so the shorter one is taken.
fn socket(dir: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(dir)?.join("control").join("socket");
    let here = std::env::current_dir()?;
    Ok(match path.strip_prefix(&here) {
        Ok(relative) => relative.to_owned(),
        Err(_) => path,
    })
}

#[cfg(test)]
mod tests;
