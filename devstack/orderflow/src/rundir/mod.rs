//! The folder of one stack (`.orderflow`): its lock, what is running, its logs and its data.
//!
//! ```text
//! .orderflow/
//!   lock        held (flock) for the life of the command; names the holder
//!   run.json    what is running now: processes, and the addresses once everything is ready
//!   logs/       one file per part, from its last start
//!   postgres/   the databases
//! ```

mod identity;
mod leftovers;
mod lock;
mod run;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub(crate) use identity::{ProcessId, send};
pub(crate) use leftovers::stop_leftovers;
pub(crate) use lock::{Lock, TryLock};
pub(crate) use run::{Child, Run};

/// A run folder that this process holds the lock of.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    _lock: Lock,
}

impl RunDir {
    /// Creates the folder if need be and takes its lock, or says who holds it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        // Children run in their own working directory or as another user, so every path that they get is absolute.
        let path = std::path::absolute(path)?;
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        match Lock::try_take(&path)? {
            TryLock::Taken(lock) => Ok(Self { path, _lock: lock }),
            TryLock::HeldBy(holder) => Err(lock::refusal(&path, holder)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where PostgreSQL keeps its data.
    pub(crate) fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// A new, empty log file of one part.
    pub(crate) fn create_log(&self, part: &str) -> anyhow::Result<File> {
        let path = self.path.join("logs").join(format!("{part}.log"));
        fs::create_dir_all(self.path.join("logs"))?;
        File::create(&path).with_context(|| format!("creating {}", path.display()))
    }

    /// Removes what earlier runs kept. The lock file stays, since it is what we hold.
    pub(crate) fn forget_data(&self) -> anyhow::Result<()> {
        for folder in [self.postgres(), self.path.join("logs")] {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("removing {}", folder.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
