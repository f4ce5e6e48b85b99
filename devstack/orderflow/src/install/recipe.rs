//! How one server is fetched or built, and that it happens once.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anstream::adapter::strip_str;
use anyhow::{Context as _, ensure};
use fnv::FnvHasher;
use futures::future::BoxFuture;
use tokio::process::Command;

use super::Program;

const ASK_EVERY: Duration = Duration::from_millis(100);

/// Lines of a failed step that are shown.
const REASONS: usize = 4;

/// How one server is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    /// What it is made from, by its name in the folder; a change of any makes a new version.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// What making it takes, and running it does not.
    pub(crate) made_with: &'static [Program],
    pub(crate) run_with: &'static [Program],
    /// Said when it has to be made.
    pub(crate) takes: &'static str,
    pub(crate) make: fn(&Workshop) -> BoxFuture<'_, anyhow::Result<()>>,
}

/// Why this machine cannot provide a server.
#[derive(Debug)]
pub(crate) enum Missing {
    Programs(Vec<Program>),
    Failed(anyhow::Error),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Programs(programs) => {
                let programs: Vec<_> = programs.iter().map(ToString::to_string).collect();
                write!(f, "it needs {}", programs.join("; and "))
            }
            Self::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

/// The folder that a server is made in, and where the steps write what they say.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) folder: PathBuf,
    log: PathBuf,
}

impl Workshop {
    /// A program to be run in the folder.
    pub(crate) fn command(&self, program: Program) -> Command {
        let mut command = Command::new(program.name);
        command.current_dir(&self.folder);
        command
    }

    /// Runs one step to its end; a failure is told with what the step said about it.
    pub(crate) async fn run(&self, command: &mut Command) -> anyhow::Result<()> {
        let name = command.as_std().get_program().display().to_string();
        let log = File::options().append(true).create(true).open(&self.log)?;
        let status = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C on the terminal is for us alone; dropped half-way, the step is killed.
            .process_group(0)
            .kill_on_drop(true)
            .status()
            .await
            .with_context(|| format!("starting {name}"))?;
        ensure!(
            status.success(),
            "{name} failed ({status}), more in {}{}",
            self.log.display(),
            self.reasons()
        );
        Ok(())
    }

    /// The first lines about an error, each on a line of its own: the tools explain first, and end with advice.
    fn reasons(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let log = strip_str(&log).to_string();
        let lines: Vec<_> = log.lines().map(str::trim).collect();
        let is_error = |line: &&&str| line.to_lowercase().contains("error");
        let mut told: Vec<_> = lines.iter().filter(is_error).take(REASONS).collect();
        if told.is_empty() {
            told.extend(lines.iter().rfind(|line| !line.is_empty()));
        }
        let told: Vec<_> = told.iter().map(|line| format!("\n  {line}")).collect();
        told.concat()
    }
}

impl Recipe {
    /// The folder of this version in `cache`, made now if it is not there; `making` is told when it has to be.
    pub(crate) async fn install(
        &self,
        cache: &Path,
        log: PathBuf,
        making: impl FnOnce(),
    ) -> Result<PathBuf, Missing> {
        let folder = cache.join(self.folder_name());
        if folder.is_dir() {
            check(self.run_with).await?;
            return Ok(folder);
        }
        check(&[self.run_with, self.made_with].concat()).await?;
        making();
        let made = self.make_once(&folder, &log).await;
        made.map_err(Missing::Failed)?;
        Ok(folder)
    }

    /// Two stacks that start at the same time make it one after the other, and the second finds it there.
    async fn make_once(&self, folder: &Path, log: &Path) -> anyhow::Result<()> {
        let parent = folder.parent().context("the cache is a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
        // By the maker, not by the recipe: two Mavens at once disturb each other in the folder that they share.
        let maker = self.made_with.first().map_or(self.name, |maker| maker.name);
        let _turn = take_turn(parent.join(format!("{maker}.lock"))).await?;
        if folder.is_dir() {
            return Ok(());
        }
        let unfinished = folder.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        self.write_files(&unfinished)?;
        let workshop = Workshop {
            folder: unfinished,
            log: log.to_owned(),
        };
        (self.make)(&workshop).await?;
        Ok(fs::rename(&workshop.folder, folder)?)
    }

    fn write_files(&self, folder: &Path) -> anyhow::Result<()> {
        for (name, text) in self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }

    fn folder_name(&self) -> String {
        let mut fingerprint = FnvHasher::default();
        for (name, text) in self.files {
            fingerprint.write(name.as_bytes());
            fingerprint.write(text.as_bytes());
        }
        format!("{}-{:016x}", self.name, fingerprint.finish())
    }
}

/// All that are missing are named at once: nobody wants to learn of the second when the first is there.
pub(super) async fn check(programs: &[Program]) -> Result<(), Missing> {
    let mut missing = Vec::new();
    for program in programs {
        if !program.is_there().await {
            missing.push(*program);
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Missing::Programs(missing))
    }
}

/// Asks for the lock again and again: another process may hold it for minutes, and a wait inside the system could not be
/// given up when we are asked to stop.
async fn take_turn(path: PathBuf) -> anyhow::Result<File> {
    let file = File::create(&path)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(ASK_EVERY).await,
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking {}", path.display()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
