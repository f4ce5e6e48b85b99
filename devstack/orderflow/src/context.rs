//! What every part needs from its surroundings: where it speaks, where it writes, and what it hangs on.

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
    /// The log of one life of a part; the first one begins the file.
    pub(crate) fn log(&self, part: &'static str, is_again: bool) -> anyhow::Result<Arc<PartLog>> {
        let file = self.folder.open_log(part, is_again)?;
        Ok(Arc::new(PartLog::new(
            part,
            file,
            Some(self.screen.clone()),
        )))
    }

    /// A log for the file alone: of a server that was written by others, who say more than our reader wants to know.
    pub(crate) fn quiet_log(
        &self,
        part: &'static str,
        is_again: bool,
    ) -> anyhow::Result<Arc<PartLog>> {
        let file = self.folder.open_log(part, is_again)?;
        Ok(Arc::new(PartLog::new(part, file, None)))
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
        self.note_pid(part, process.pid());
        Ok(process)
    }

    /// Notes which process a part is now.
    pub(crate) fn note_pid(&self, part: &str, pid: u32) {
        self.register.note(part, |status| status.pid = Some(pid));
    }
}
