//! `run.json`: what runs in this folder now, for `env`, `traffic`, `trace`, `down` and the next start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{ProcessId, RunDir};
use crate::settings::Addresses;

/// The state of one stack, written at every change.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The `orderflow` command itself.
    pub(crate) command: ProcessId,
    /// Every child process, in the order of starting; they are stopped in the reverse.
    pub(crate) children: Vec<Child>,
    /// Where everything listens; absent until everything is ready.
    pub(crate) addresses: Option<Addresses>,
    /// What the services inherit that explains what their traces look like: `FAULT_*` and `MESSAGING_*`.
    #[serde(default)]
    pub(crate) inherited: BTreeMap<String, String>,
    #[serde(skip)]
    folder: PathBuf,
}

/// One child process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Child {
    pub(crate) name: String,
    pub(crate) process: ProcessId,
}

impl Run {
    /// The state of a stack that has started nothing yet.
    pub(crate) fn begin(folder: &RunDir) -> anyhow::Result<Self> {
        let run = Self {
            command: ProcessId::current()?,
            children: Vec::new(),
            addresses: None,
            inherited: inherited(std::env::vars_os()),
            folder: folder.path().to_owned(),
        };
        run.save()?;
        Ok(run)
    }

    /// What the folder says, whether or not it is still true.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = file(folder);
        match fs::read(&path) {
            Ok(text) => {
                let run: Self = serde_json::from_slice(&text)
                    .with_context(|| format!("{} is not what orderflow writes", path.display()))?;
                Ok(Some(Self {
                    folder: folder.to_owned(),
                    ..run
                }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// The stack that is running and ready in this folder.
    pub(crate) fn ready(folder: &Path) -> anyhow::Result<Option<(Self, Addresses)>> {
        let run = Self::read(folder)?.filter(|run| run.command.is_running());
        Ok(run.and_then(|run| run.addresses.clone().map(|addresses| (run, addresses))))
    }

    /// Writes a child down, so that it can be found should we be killed; the process of a name is the last one told.
    pub(crate) fn add_child(&mut self, name: &str, process: ProcessId) -> anyhow::Result<()> {
        self.children.retain(|child| child.name != name);
        self.children.push(Child {
            name: name.to_owned(),
            process,
        });
        self.save()
    }

    /// Forgets a child that has ended: its pid may soon be somebody else's.
    pub(crate) fn remove_child(&mut self, name: &str) -> anyhow::Result<()> {
        self.children.retain(|child| child.name != name);
        self.save()
    }

    /// The process of a part, if it has one now.
    pub(crate) fn process_of(&self, name: &str) -> Option<&ProcessId> {
        let child = self.children.iter().find(|child| child.name == name)?;
        Some(&child.process)
    }

    /// The faults that are switched on, each as `NAME=value`.
    pub(crate) fn faults(&self) -> Vec<String> {
        let faults = self.inherited.iter();
        faults
            .filter(|(name, _)| name.starts_with("FAULT_"))
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    /// Everything is ready, and listens here.
    pub(crate) fn set_ready(&mut self, addresses: &Addresses) -> anyhow::Result<()> {
        self.addresses = Some(addresses.clone());
        self.save()
    }

    /// Nothing runs any more.
    pub(crate) fn end(&self) -> anyhow::Result<()> {
        fs::remove_file(file(&self.folder)).context("removing run.json")
    }

    /// Replaces the file in one step: a reader sees the old state or the new one, never half of it.
    fn save(&self) -> anyhow::Result<()> {
        let path = file(&self.folder);
        let next = path.with_extension("json.new");
        fs::write(&next, serde_json::to_vec_pretty(self)?)?;
        fs::rename(&next, &path).with_context(|| format!("writing {}", path.display()))
    }
}

/// Of an environment, the settings that tell why a trace looks as it does.
fn inherited(environment: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    environment
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("FAULT_") || name.starts_with("MESSAGING_"))
        .filter(|(_, value)| !value.trim().is_empty())
        .collect()
}

fn file(folder: &Path) -> PathBuf {
    folder.join("run.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_remembers_the_faults_that_it_was_started_with_and_no_secrets() {
        let environment = [
            ("FAULT_DROP_CONTEXT", "sqs"),
            ("FAULT_OTHER", " "),
            ("MESSAGING_TRACE_RELATION", "link"),
            ("OPENAI_API_KEY", "secret"),
        ];
        let environment = environment.map(|(name, value)| (name.into(), value.into()));
        let folder = tempfile::tempdir().unwrap();
        let folder = RunDir::open(folder.path()).unwrap();
        let mut run = Run::begin(&folder).unwrap();
        run.inherited = inherited(environment.into_iter());
        run.save().unwrap();

        let read = Run::read(folder.path()).unwrap().unwrap();

        assert_eq!(read.faults(), ["FAULT_DROP_CONTEXT=sqs"]);
        let names: Vec<_> = read.inherited.keys().collect();
        assert_eq!(names, ["FAULT_DROP_CONTEXT", "MESSAGING_TRACE_RELATION"]);
    }
}
