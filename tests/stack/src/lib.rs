//! A stack for tests: `orderflow up` in a temporary folder on free ports, stopped with the value that holds it.
//!
//! It also stops when the process of the tests ends, however that happens: the command lives for as long as its standard
//! input is open. So a stack may be kept in a static, which is never dropped.

mod containers;
mod lazy;
mod options;
mod program;
mod running;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::containers::Containers;
use crate::options::variable;
use crate::running::Running;

pub use crate::lazy::LazyStack;
pub use crate::options::{Options, Servers};
pub use crate::running::{command, folder};

/// The parts that may be a stand-in of our own, as `orderflow up` calls them.
const PARTS: [&str; 5] = ["kafka", "sqs", "pubsub", "traces", "mail"];

const PYTHON: &str = "python";

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    settings: HashMap<String, String>,
    // In this order: the services stop before their servers.
    running: Running,
    _containers: Option<Containers>,
}

impl Stack {
    /// Starts a stack and waits until it is ready; on failure the error has the end of what the command said.
    pub async fn start(options: Options<'_>) -> anyhow::Result<Self> {
        let containers = match options.servers {
            Servers::Containers => Some(Containers::start().await?),
            Servers::Embedded | Servers::Native => None,
        };
        let addresses = containers
            .iter()
            .flat_map(|containers| &containers.settings);
        let addresses = addresses.map(|(name, value)| (*name, value.as_str()));
        let settings: Vec<_> = addresses.chain(options.settings.iter().copied()).collect();
        let mut running = Running::start(Options {
            settings: &settings,
            ..options
        })?;
        let lines = running.wait_until_ready(options.servers).await;
        let lines = lines.with_context(|| running.log_tail())?;
        let stack = Self {
            settings: parse(&lines),
            running,
            _containers: containers,
        };
        stack.check_required()?;
        Ok(stack)
    }

    /// `STACK_REQUIRES=kafka,sqs` names the parts that this run must not do without.
    fn check_required(&self) -> anyhow::Result<()> {
        for part in required().iter().filter(|part| *part != PYTHON) {
            if let Some(why) = self.stand_in(part)? {
                bail!("STACK_REQUIRES the real {part}, and here is {why}");
            }
        }
        Ok(())
    }

    /// The command, about this stack: what follows are a subcommand and its arguments.
    pub fn command(&self) -> Command {
        self.running.command()
    }

    /// A setting as `orderflow env` prints it, such as `KAFKA_BROKERS` or `GATEWAY_URL`.
    pub fn setting(&self, name: &str) -> anyhow::Result<&str> {
        let value = self.settings.get(name);
        Ok(value.with_context(|| format!("`orderflow env` prints no {name}"))?)
    }

    /// What a service is started with, as `orderflow env <service>` prints it.
    pub fn settings_of(&self, service: &str) -> anyhow::Result<HashMap<String, String>> {
        Ok(parse(&self.running.settings_of(service)?))
    }

    /// A program of this workspace, in the profile of the stack.
    pub fn program(&self, name: &str) -> PathBuf {
        self.running.program().with_file_name(name)
    }

    /// Where the stack keeps its data, its logs and what it writes down about itself.
    pub fn folder(&self) -> &Path {
        self.running.folder()
    }

    /// Why a part of a native stack, such as `pubsub`, is not the real server but its stand-in; `None` when it is real.
    pub fn stand_in(&self, part: &str) -> anyhow::Result<Option<&str>> {
        ensure!(
            PARTS.contains(&part),
            "{part} is none of {}",
            PARTS.join(", ")
        );
        let setting = format!("ORDERFLOW_STAND_IN_{}", part.to_uppercase());
        Ok(self.settings.get(&setting).map(String::as_str))
    }
}

/// Whether `STACK_REQUIRES` also names `python`, which is not a part: some tests have a publisher in Python.
pub fn requires_python() -> bool {
    required().iter().any(|part| part == PYTHON)
}

fn required() -> Vec<String> {
    let required = variable("STACK_REQUIRES").unwrap_or_default();
    let parts = required.split(',').filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Reads lines of `NAME=value`, perhaps quoted.
fn parse(lines: &str) -> HashMap<String, String> {
    let settings = lines.lines().filter_map(|line| line.split_once('='));
    settings
        .map(|(name, value)| {
            let value = value.trim_matches('\'').replace(r"'\''", "'");
            (name.to_owned(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_with_and_without_quotes() {
        let settings = parse("GATEWAY_URL=http://127.0.0.1:8080\nA='b=c d'\nB='it'\\''s'\n");
        assert_eq!(settings["GATEWAY_URL"], "http://127.0.0.1:8080");
        assert_eq!(settings["A"], "b=c d");
        assert_eq!(settings["B"], "it's");
    }
}
