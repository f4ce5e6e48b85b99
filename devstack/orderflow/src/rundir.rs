//! The folder of one stack (`.orderflow`): its lock, its logs and its data.
//!
//! ```text
//! .orderflow/
//!   lock        held (flock) until the last child of the command has gone; names the command
//!   control/    the socket by which everybody else asks the command what runs, and where; for its user alone
//!   logs/       one file per part, from the last start of the stack
//!   postgres/   the databases
//!   native/     the same two, and a folder for each real server that keeps something
//!   outside/    the logs of services whose servers run elsewhere
//!   redriven.jsonl  the dead letters that were sent back
//!   up.log      what the command says in the background, since its last start there
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use lifeline::Lifeline;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use crate::process::STOP_LIMIT;
use crate::screen::Screen;

/// The file about dead letters that were sent back, whatever mode they were in: their ids tell them apart.
pub(crate) const REDRIVEN: &str = "redriven.jsonl";

/// How often a lock is tried that is about to be free.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// What a killed command left ends at once, side by side, and what then does not is killed.
const LEFTOVER_LIMIT: Duration = STOP_LIMIT.saturating_mul(2);

/// The locked file, or the process that holds the lock, by what it wrote down. It is absent when that has gone, and the
/// watcher of its children is about to end the last of them, and for the instant before a holder has written itself down.
pub(crate) type TryLock = Result<File, Option<u32>>;

/// Takes the lock of `folder` if nobody has it, and writes down who does. It is held by the operating system, so that not
/// even `kill -9` leaves it behind, and free when the file and every clone of it are closed, in whichever process.
pub(crate) fn try_lock(folder: &Path) -> anyhow::Result<TryLock> {
    let path = folder.join("lock");
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(false);
    let file = options.open(&path);
    let mut file = file.with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let holder = String::from_utf8_lossy(&text).parse().ok();
            let exists =
                |pid: &u32| kill(Pid::from_raw(pid.cast_signed()), None) != Err(Errno::ESRCH);
            Ok(Err(holder.filter(exists)))
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", path.display()))
        }
    }
}

/// Waits until nobody holds the lock of `folder`; `false` when that takes longer than `limit`.
pub(crate) async fn free_within(folder: &Path, limit: Duration) -> anyhow::Result<bool> {
    let deadline = Instant::now() + limit;
    while try_lock(folder)?.is_err() {
        if Instant::now() > deadline {
            return Ok(false);
        }
        sleep(TRY_EVERY).await;
    }
    Ok(true)
}

/// A run folder that this process holds the lock of.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    /// Where logs and data are.
    data: PathBuf,
    lock: File,
}

impl RunDir {
    /// Creates the folder if need be and takes its lock, or says who holds it.
    /// What a killed command left running holds it for as long as it takes to end, and is waited for.
    /// Logs and data are in the folder itself, or in one `below` it.
    pub(crate) async fn open(
        path: &Path,
        below: Option<&str>,
        screen: &Screen,
    ) -> anyhow::Result<Self> {
        // Children run in their own working directory or as another user, so every path that they get is absolute.
        let path = std::path::absolute(path)?;
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        let (mut waits, deadline) = (false, Instant::now() + LEFTOVER_LIMIT);
        loop {
            match try_lock(&path)? {
                Ok(lock) => {
                    let data = below.map_or_else(|| path.clone(), |below| path.join(below));
                    return Ok(Self { path, data, lock });
                }
                Err(None) if Instant::now() < deadline => {
                    if !waits {
                        screen.tell("waiting until what an earlier run left has ended");
                        waits = true;
                    }
                    sleep(TRY_EVERY).await;
                }
                Err(holder) => {
                    let who = holder.map(|holder| format!("orderflow (pid {holder})"));
                    let who = who.unwrap_or_else(|| "another orderflow".to_owned());
                    let folder = path.display();
                    bail!(
                        "{folder} is in use: {who} is running there; stop it with `orderflow --dir {folder} down`, \
                         or start a second stack with another --dir and --free-ports"
                    );
                }
            }
        }
    }

    /// What the children of a stack hang on: until the last of them has gone, the folder is locked.
    /// Then it is removed, if it is that of a test.
    pub(crate) fn lifeline(&self, for_test: bool) -> anyhow::Result<Lifeline> {
        let lock = self.lock.try_clone()?;
        let lifeline = Lifeline::start(Some(lock), for_test.then_some(self.path()));
        lifeline.context("starting sh, which watches over the children")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a part keeps its data.
    pub(crate) fn data_of(&self, part: &str) -> PathBuf {
        self.data.join(part)
    }

    /// The folder of the logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// The log file of one part: a new one, or that of a part that is started again, since it says why.
    pub(crate) fn open_log(&self, part: &str, is_again: bool) -> anyhow::Result<File> {
        let path = self.logs().join(format!("{part}.log"));
        fs::create_dir_all(self.logs())?;
        if !is_again {
            unless_absent(fs::remove_file(&path), &path)?;
        }
        let file = File::options().create(true).append(true).open(&path);
        file.with_context(|| format!("opening {}", path.display()))
    }

    /// Removes what earlier runs kept of this mode. The lock file stays, since it is what we hold.
    pub(crate) fn forget_data(&self, parts: &[&str]) -> anyhow::Result<()> {
        let data = parts.iter().map(|part| self.data_of(part));
        for folder in data.chain([self.logs()]) {
            remove_folder(&folder)?;
        }
        let redriven = self.path.join(REDRIVEN);
        unless_absent(fs::remove_file(&redriven), &redriven)
    }
}

/// Under another name first: one that is half removed, because we were killed, must not be taken for data.
fn remove_folder(folder: &Path) -> anyhow::Result<()> {
    let doomed = folder.with_extension("removed");
    unless_absent(fs::remove_dir_all(&doomed), &doomed)?;
    unless_absent(fs::rename(folder, &doomed), folder)?;
    unless_absent(fs::remove_dir_all(&doomed), &doomed)
}

fn unless_absent(done: io::Result<()>, path: &Path) -> anyhow::Result<()> {
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
