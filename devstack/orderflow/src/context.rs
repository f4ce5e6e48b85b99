//! What every part needs from its surroundings: where it speaks, where it writes, and what it hangs on.

use std::fs::File;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lifeline::Lifeline;
use tokio::process::Command;

use crate::part_log::PartLog;
use crate::process::Process;
use crate::register::Register;
use crate::rundir::RunDir;
use crate::screen::Screen;
use crate::settings::Addresses;

/// What every part needs from its surroundings.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) screen: Screen,
    pub(crate) folder: Arc<RunDir>,
    /// What every child hangs on.
    pub(crate) lifeline: Lifeline,
    /// Where everything listens, once everything is ready.
    pub(crate) addresses: Arc<OnceLock<Addresses>>,
    /// How every part is doing.
    pub(crate) register: Arc<Register>,
}

impl Context {
    pub(crate) fn log(&self, part: &'static str) -> anyhow::Result<Arc<PartLog>> {
        let file = self.folder.create_log(part)?;
        Ok(Arc::new(PartLog::new(part, file, self.screen.clone())))
    }

    /// The log of one life of a part; the first one begins the file.
    pub(crate) fn log_of_life(
        &self,
        part: &'static str,
        is_again: bool,
    ) -> anyhow::Result<Arc<PartLog>> {
        let file = self.file_of_life(part, is_again)?;
        Ok(Arc::new(PartLog::new(part, file, self.screen.clone())))
    }

    /// A log for the file alone: of a server that was written by others, who say more than our reader wants to know.
    pub(crate) fn quiet_log(
        &self,
        part: &'static str,
        is_again: bool,
    ) -> anyhow::Result<Arc<PartLog>> {
        let file = self.file_of_life(part, is_again)?;
        Ok(Arc::new(PartLog::quiet(part, file)))
    }

    fn file_of_life(&self, part: &str, is_again: bool) -> anyhow::Result<File> {
        if is_again {
            self.folder.reopen_log(part)
        } else {
            self.folder.create_log(part)
        }
    }

    /// Starts the child that a part is; it may take `patience` to end once it is asked to.
    pub(crate) fn spawn(
        &self,
        part: &'static str,
        command: &Command,
        patience: Duration,
        log: Arc<PartLog>,
    ) -> anyhow::Result<Process> {
        let process = Process::spawn(&self.lifeline, part, command, patience, log)?;
        self.register.set_pid(part, process.pid());
        Ok(process)
    }

    /// With a folder, and without anything that runs.
    #[cfg(test)]
    pub(crate) async fn for_test(folder: &std::path::Path) -> Self {
        let screen = Screen::new(crate::screen::Show::Problems);
        let folder = RunDir::open(folder, &screen).await.unwrap();
        Self {
            screen,
            lifeline: folder.lifeline(false).unwrap(),
            folder: Arc::new(folder),
            addresses: Arc::default(),
            register: Arc::default(),
        }
    }
}
