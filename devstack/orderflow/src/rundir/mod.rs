//! The folder of one stack (`.orderflow`): its lock, what is running, its logs and its data.
//!
//! ```text
//! .orderflow/
//!   lock        held (flock) for the life of the command; names the holder
//!   run.json    what is running now: processes, settings, and the addresses once everything is ready
//!   control     the socket by which `status`, `stop`, `start`, `pause` and `resume` reach the command
//!   logs/       one file per part, from the last start of the stack
//!   postgres/   the databases
//!   native/     the same two, and a folder for each real server that keeps something
//!   outside/    the logs of services whose servers run elsewhere
//!   redriven.jsonl  the dead letters that were sent back
//!   up.log      what the command says in the background, since its last start there
//! ```

mod identity;
mod leftovers;
mod lock;
mod run;
mod tree;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub(crate) use identity::{ProcessId, send};
pub(crate) use leftovers::stop_leftovers;
pub(crate) use lock::{Lock, TryLock};
pub(crate) use run::{Child, Run};
pub(crate) use tree::{freeze, parents, thaw, with_descendants};

/// The file about dead letters that were sent back, whatever mode they were in: their ids tell them apart.
pub(crate) const REDRIVEN: &str = "redriven.jsonl";

/// A run folder that this process holds the lock of.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    /// Where logs and data are: the embedded mode's lie in the folder itself, those of another beside them.
    data: PathBuf,
    _lock: Lock,
}

impl RunDir {
    /// Creates the folder if need be and takes its lock, or says who holds it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        // Children run in their own working directory or as another user, so every path that they get is absolute.
        let path = std::path::absolute(path)?;
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        match Lock::try_take(&path)? {
            TryLock::Taken(lock) => Ok(Self {
                data: path.clone(),
                path,
                _lock: lock,
            }),
            TryLock::HeldBy(holder) => Err(lock::refusal(&path, holder)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The same folder, with logs and data in a folder of their own below it.
    pub(crate) fn with_data_in(self, name: &str) -> Self {
        Self {
            data: self.path.join(name),
            ..self
        }
    }

    /// Where a part keeps its data.
    pub(crate) fn data_of(&self, part: &str) -> PathBuf {
        self.data.join(part)
    }

    /// The folder of the logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// A new, empty log file of one part.
    pub(crate) fn create_log(&self, part: &str) -> anyhow::Result<File> {
        let path = self.new_log(part)?;
        File::create(&path).with_context(|| format!("creating {}", path.display()))
    }

    /// The log file of a part that is started again: why it had to be is written there.
    pub(crate) fn reopen_log(&self, part: &str) -> anyhow::Result<File> {
        let path = self.logs().join(format!("{part}.log"));
        let file = File::options().create(true).append(true).open(&path);
        file.with_context(|| format!("opening {}", path.display()))
    }

    /// Where the log of one part goes; there is none yet.
    pub(crate) fn new_log(&self, part: &str) -> anyhow::Result<PathBuf> {
        let path = self.logs().join(format!("{part}.log"));
        fs::create_dir_all(self.logs())?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", path.display()))
            }
            _ => Ok(path),
        }
    }

    /// Removes what earlier runs kept of this mode. The lock file stays, since it is what we hold.
    pub(crate) fn forget_data(&self, parts: &[&str]) -> anyhow::Result<()> {
        let data = parts.iter().map(|part| self.data_of(part));
        for folder in data.chain([self.logs()]) {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("removing {}", folder.display()));
                }
                _ => {}
            }
        }
        match fs::remove_file(self.path.join(REDRIVEN)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {REDRIVEN}"))
            }
            _ => Ok(()),
        }
    }
}
