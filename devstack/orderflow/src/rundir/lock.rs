//! The lock: one stack per folder, held by the operating system, so that not even `kill -9` leaves it behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// The locked file; the lock is free when it and every clone of it are closed, in whichever process.
#[derive(Debug)]
pub(crate) struct Lock {
    pub(super) file: File,
}

/// What trying to lock found.
#[derive(Debug)]
pub(crate) enum TryLock {
    Taken(Lock),
    /// By the process that wrote itself down. Absent when that has gone, and the watcher of its children is about to end
    /// the last of them, and for the instant before a holder has written itself down.
    HeldBy(Option<u32>),
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
                Ok(TryLock::Taken(Self { file }))
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
    write!(file, "{}", std::process::id())?;
    Ok(())
}

fn read_holder(file: &mut File) -> anyhow::Result<Option<u32>> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let holder = String::from_utf8_lossy(&text).parse().ok();
    Ok(holder.filter(|pid: &u32| exists(*pid)))
}

fn exists(pid: u32) -> bool {
    kill(Pid::from_raw(pid.cast_signed()), None) != Err(Errno::ESRCH)
}

/// What the second `up` in the same folder says.
pub(super) fn refusal(folder: &Path, holder: Option<u32>) -> anyhow::Error {
    let who = holder.map_or_else(
        || "another orderflow".to_owned(),
        |holder| format!("orderflow (pid {holder})"),
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
    fn a_holder_that_has_gone_is_nobody_and_neither_is_rubbish() {
        let folder = tempfile::tempdir().unwrap();
        let Ok(TryLock::Taken(mut lock)) = Lock::try_take(folder.path()) else {
            panic!("nobody else holds it")
        };
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        for text in [child.id().to_string(), "{}".to_owned(), String::new()] {
            lock.file.set_len(0).unwrap();
            lock.file.rewind().unwrap();
            lock.file.write_all(text.as_bytes()).unwrap();
            let held = Lock::try_take(folder.path()).unwrap();
            assert!(matches!(held, TryLock::HeldBy(None)), "{held:?}");
        }
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
