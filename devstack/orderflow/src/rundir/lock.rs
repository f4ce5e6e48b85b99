//! The lock: one stack per folder, held by the operating system, so that not even `kill -9` leaves it behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::ProcessId;

/// The locked file; dropping it lets the lock go.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// What trying to lock found.
#[derive(Debug)]
pub(crate) enum TryLock {
    Taken(Lock),
    /// By whom, as it wrote itself down; absent for the instant before it has done so.
    HeldBy(Option<ProcessId>),
}

impl Lock {
    /// Takes the lock of `folder` if nobody has it, and writes down who does.
    pub(crate) fn try_take(folder: &Path) -> anyhow::Result<TryLock> {
        let path = folder.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {
                sign(&mut file)?;
                Ok(TryLock::Taken(Self { _file: file }))
            }
            Err(TryLockError::WouldBlock) => Ok(TryLock::HeldBy(read_holder(&mut file)?)),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("locking {}", path.display()))
            }
        }
    }
}

fn sign(file: &mut File) -> anyhow::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(&ProcessId::current()?)?)?;
    Ok(())
}

fn read_holder(file: &mut File) -> anyhow::Result<Option<ProcessId>> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text).ok())
}

/// What the second `up` in the same folder says.
pub(super) fn refusal(folder: &Path, holder: Option<ProcessId>) -> anyhow::Error {
    let who = holder.map_or_else(
        || "another orderflow".to_owned(),
        |holder| format!("orderflow (pid {})", holder.pid),
    );
    let folder = folder.display();
    anyhow!(
        "{folder} is in use: {who} is running there; stop it with `orderflow --dir {folder} down`, \
         or start a second stack with another --dir and --free-ports"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_to_come_learns_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let TryLock::Taken(_lock) = Lock::try_take(folder.path()).unwrap() else {
            panic!("nobody else holds it")
        };

        let TryLock::HeldBy(holder) = Lock::try_take(folder.path()).unwrap() else {
            panic!("it is held")
        };

        let message = refusal(folder.path(), holder).to_string();
        assert!(
            message.contains(&format!(
                "orderflow (pid {}) is running there",
                std::process::id()
            )),
            "{message}"
        );
        assert!(message.contains(" down`"), "{message}");
    }

    #[test]
    fn a_dropped_lock_can_be_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        drop(Lock::try_take(folder.path()).unwrap());
        assert!(matches!(
            Lock::try_take(folder.path()).unwrap(),
            TryLock::Taken(_)
        ));
    }
}
