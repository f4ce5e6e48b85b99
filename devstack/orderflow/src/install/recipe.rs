//! How one server is fetched or built, and that it happens once.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fnv::FnvHasher;
use futures::future::BoxFuture;
use tokio::process::Command;

use super::Program;

const ASK_EVERY: Duration = Duration::from_millis(100);

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

/// Why this machine cannot provide a server, in one line.
#[derive(Debug)]
pub(crate) enum Missing {
    Programs(Vec<Program>),
    Failed { error: anyhow::Error, log: PathBuf },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Programs(programs) => {
                let programs: Vec<_> = programs.iter().map(ToString::to_string).collect();
                write!(f, "it needs {}", programs.join("; and "))
            }
            Self::Failed { error, log } => {
                write!(f, "{error:#}; more in {}", log.display())
            }
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

    /// Runs one step to its end; a failure is told with its last words.
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
            "{name} failed ({status}){}",
            self.last_words()
        );
        Ok(())
    }

    /// `: ` and the last line that says anything, if there is one.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last = log.lines().rev().find(|line| !line.trim().is_empty());
        last.map(|line| format!(": {}", line.trim()))
            .unwrap_or_default()
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
        check(self.run_with)?;
        let folder = cache.join(self.folder_name());
        if folder.is_dir() {
            return Ok(folder);
        }
        check(self.made_with)?;
        making();
        let made = self.make_once(&folder, &log).await;
        made.map_err(|error| Missing::Failed { error, log })?;
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

fn check(programs: &[Program]) -> Result<(), Missing> {
    let missing = programs.iter().filter(|program| program.find().is_none());
    let missing: Vec<_> = missing.copied().collect();
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
mod tests {
    use std::cell::Cell;

    use futures::FutureExt as _;

    use super::*;

    const SHELL: Program = Program::for_test("sh");

    const RECIPE: Recipe = Recipe {
        name: "thing",
        files: &[("in/input", "one")],
        made_with: &[SHELL],
        run_with: &[],
        takes: "a moment",
        make: |workshop| {
            async move {
                let mut command = workshop.command(SHELL);
                workshop
                    .run(command.args(["-c", "cp in/input output"]))
                    .await
            }
            .boxed()
        },
    };

    async fn install(recipe: Recipe, cache: &Path) -> (Result<PathBuf, Missing>, bool) {
        let made = Cell::new(false);
        let folder = recipe.install(cache, cache.join("log"), || made.set(true));
        (folder.await, made.get())
    }

    #[tokio::test]
    async fn a_version_is_made_once() {
        let cache = tempfile::tempdir().unwrap();
        let (first, made) = install(RECIPE, cache.path()).await;
        let first = first.unwrap();
        assert!(made);
        assert_eq!(fs::read_to_string(first.join("output")).unwrap(), "one");

        let (second, made) = install(RECIPE, cache.path()).await;
        assert_eq!((second.unwrap(), made), (first, false));
    }

    #[tokio::test]
    async fn a_changed_file_makes_another_version() {
        let cache = tempfile::tempdir().unwrap();
        let (first, _) = install(RECIPE, cache.path()).await;
        let changed = Recipe {
            files: &[("in/input", "two")],
            ..RECIPE
        };
        let (second, made) = install(changed, cache.path()).await;
        assert!(made);
        assert_ne!(first.unwrap(), second.unwrap());
    }

    #[tokio::test]
    async fn a_failure_is_told_with_its_last_words_and_leaves_nothing_that_looks_whole() {
        let cache = tempfile::tempdir().unwrap();
        let failing = Recipe {
            make: |workshop| {
                async move {
                    let mut command = workshop.command(SHELL);
                    workshop
                        .run(command.args(["-c", "echo no network; exit 3"]))
                        .await
                }
                .boxed()
            },
            ..RECIPE
        };
        let (result, _) = install(failing, cache.path()).await;
        let message = result.unwrap_err().to_string();
        assert!(
            message.contains("(exit status: 3): no network; more in"),
            "{message}"
        );

        let (again, made) = install(RECIPE, cache.path()).await;
        assert!(again.is_ok() && made);
    }

    #[tokio::test]
    async fn every_program_that_is_missing_is_named_with_its_source_before_anything_is_made() {
        let cache = tempfile::tempdir().unwrap();
        let recipe = Recipe {
            made_with: &const {
                [
                    Program::for_test("no-such-a"),
                    SHELL,
                    Program::for_test("no-such-b"),
                ]
            },
            ..RECIPE
        };
        let (result, made) = install(recipe, cache.path()).await;
        assert!(!made);
        assert_eq!(
            result.unwrap_err().to_string(),
            "it needs no-such-a, from somewhere; and no-such-b, from somewhere"
        );
    }
}
