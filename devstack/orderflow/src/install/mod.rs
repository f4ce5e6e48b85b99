//! Fetching and building what the real servers are made of, once per version, into a cache outside the tree.
//!
//! Each version of a recipe has a folder of its own: `<cache>/native/<name>-<fingerprint of its files>`.
//! It is made beside and renamed when it is whole, so that one that was interrupted is begun anew.
//! A server that is on the machine already is only found.

mod program;

use std::fs::{self, File, TryLockError};
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anstream::adapter::strip_str;
use anyhow::{Context as _, ensure};
use clap::Args;
use fnv::FnvHasher;
use lifeline::{Ending, Lifeline};

pub(crate) use program::Program;

const ASK_EVERY: Duration = Duration::from_millis(100);

/// A script that is given up is begun anew the next time: it may take a moment to end.
const SCRIPT_PATIENCE: Duration = Duration::from_secs(2);

/// Lines of a failed script that are shown.
const REASONS: usize = 4;

/// Where downloads and builds are kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "With --servers native")]
pub(crate) struct Cache {
    /// Folder for downloads and builds [default: orderflow in `XDG_CACHE_HOME`, else in ~/.cache].
    #[arg(long = "cache", env = "ORDERFLOW_CACHE", value_name = "DIR")]
    folder: Option<PathBuf>,
    #[arg(long, env = "XDG_CACHE_HOME", hide = true)]
    xdg_cache_home: Option<PathBuf>,
}

impl Cache {
    /// The folder of the real servers.
    pub(crate) fn native(&self) -> anyhow::Result<PathBuf> {
        let orderflow = match (&self.folder, &self.xdg_cache_home) {
            (Some(folder), _) => std::path::absolute(folder)?,
            // The specification says that a relative path is to be ignored.
            (None, Some(caches)) if caches.is_absolute() => caches.join("orderflow"),
            _ => std::env::home_dir()
                .context("there is no home folder for downloads: set ORDERFLOW_CACHE")?
                .join(".cache/orderflow"),
        };
        Ok(orderflow.join("native"))
    }
}

/// Where a real server comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    Made(Recipe),
    /// What another installation on this machine has, and is run from there: nothing is fetched, built or kept.
    Found {
        /// What finding and running it takes.
        with: &'static [Program],
        /// How it is found; asked at each start, since its owner may update or remove it.
        find: fn() -> anyhow::Result<PathBuf>,
    },
}

impl Origin {
    /// Where it is now; made if it is not there in `cache`, with a log in `logs`. `making` is told what that takes.
    pub(crate) async fn install(
        &self,
        cache: &Path,
        logs: &Path,
        title: &str,
        lifeline: &Lifeline,
        making: impl FnOnce(&str),
    ) -> anyhow::Result<PathBuf> {
        let recipe = match self {
            Self::Made(recipe) => recipe,
            Self::Found { with, find } => {
                check(with).await?;
                return find();
            }
        };
        let folder = cache.join(recipe.folder_name());
        if folder.is_dir() {
            check(recipe.run_with).await?;
            return Ok(folder);
        }
        check(&[recipe.run_with, recipe.made_with].concat()).await?;
        making(recipe.takes);
        let log = logs.join(format!("getting-{}.log", recipe.name));
        recipe.make_once(&folder, &log, title, lifeline).await?;
        Ok(folder)
    }
}

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
    /// What a shell does in the folder; `{version}` is that of the server's title.
    pub(crate) script: &'static str,
}

impl Recipe {
    /// Two stacks that start at the same time make it one after the other, and the second finds it there.
    async fn make_once(
        &self,
        folder: &Path,
        log: &Path,
        title: &str,
        lifeline: &Lifeline,
    ) -> anyhow::Result<()> {
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
        for (name, text) in self.files {
            let path = unfinished.join(name);
            fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        let version = title.rsplit(' ').next().unwrap_or_default();
        let script = self.script.replace("{version}", version);
        run(&script, &unfinished, log, lifeline).await?;
        Ok(fs::rename(&unfinished, folder)?)
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

/// Runs a script in `folder` to its end, or to the first command that fails, which is told with what it said in `log`.
/// Dropped half-way, it is ended.
async fn run(script: &str, folder: &Path, log: &Path, lifeline: &Lifeline) -> anyhow::Result<()> {
    let output = File::create(log)?;
    let errors = output.try_clone()?;
    let mut command = Command::new("sh");
    command.args(["-ec", script]).current_dir(folder);
    let script = lifeline.spawn(&command, Ending::after(SCRIPT_PATIENCE), |command| {
        command.stdout(output).stderr(errors);
    });
    let status = script.context("starting a shell")?.wait().await?;
    let (place, why) = (log.display(), reasons(log));
    ensure!(
        status.success(),
        "making it failed ({status}), more in {place}{why}"
    );
    Ok(())
}

/// The first lines about an error, each on a line of its own: the tools explain first, and end with advice.
fn reasons(log: &Path) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
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

/// All that are missing are named at once: nobody wants to learn of the second when the first is there.
async fn check(programs: &[Program]) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for program in programs {
        if !program.is_there().await {
            missing.push(program.to_string());
        }
    }
    ensure!(missing.is_empty(), "it needs {}", missing.join("; and "));
    Ok(())
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
