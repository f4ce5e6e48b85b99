//! The real servers as plain processes: each is fetched or built once, started on loopback, and watched.
//!
//! What differs between them is said in their rows of the table of parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::sleep;

use super::part::{Part, Server, Site};
use super::wait_until_answers;
use crate::context::Context;
use crate::keep::Life;
use crate::process::{Exit, Process};

const ASK_EVERY: Duration = Duration::from_millis(50);

/// Where the real server of `part` is installed, fetched or built now if need be, or why it could not be; the screen says
/// so too.
pub(crate) async fn install(
    context: &Context,
    part: &Part,
    server: &Server,
    cache: &Path,
) -> Result<PathBuf, String> {
    let title = server.title;
    let making = |takes: &str| {
        let words = format!("getting {title}, once: {takes}");
        context.screen.tell(&words);
    };
    let (origin, logs) = (server.origin, context.folder.logs());
    let installed = origin.install(cache, &logs, title, &context.lifeline, making);
    installed.await.map_err(|missing| {
        let instead = part.embedded.map_or("nothing", |_| "our own stand-in");
        let why = format!("not {title} but {instead}: {missing:#}");
        context.screen.tell(&format!("{}: {why}", part.name));
        why
    })
}

/// A real server in its stack, and what it was made or found as.
#[derive(Debug, Clone)]
pub(crate) struct Native {
    pub(crate) site: Site,
    pub(crate) server: Server,
    pub(crate) installed: PathBuf,
}

impl Native {
    /// One life: starts the server, sets it up, says so on `life.ready`, and keeps it until `life.stop`.
    pub(crate) async fn live(self, life: Life) -> anyhow::Result<Exit> {
        let starting = self.site.starting();
        self.prepare(&life).await?;
        let mut command = self.command(self.server.command)?;
        let environment = self.server.environment.iter();
        command.envs(environment.map(|(variable, value)| (variable, self.fill(value))));
        let process = self.spawn(&command, &life)?;
        let address = async {
            self.get_ready().await?;
            Ok(format!("{}  {}", self.site.address(), self.server.title))
        };
        Ok(super::live(process, starting, life, address).await)
    }

    fn data(&self) -> PathBuf {
        self.site.context.folder.data_of(self.site.part.name)
    }

    fn spawn(&self, command: &Command, life: &Life) -> anyhow::Result<Process> {
        let (context, name) = (&self.site.context, self.site.part.name);
        let log = context.quiet_log(name, life.is_again)?;
        context.spawn(name, command, self.server.patience, log)
    }

    /// What is said in braces, for this start.
    fn fill(&self, template: &str) -> String {
        let text = self.site.ports.fill(template);
        text.replace("{installed}", &self.installed.display().to_string())
            .replace("{data}", &self.data().display().to_string())
    }

    /// Divided at its blanks before it is filled: folders may have some in their names.
    fn command(&self, words: &str) -> anyhow::Result<Command> {
        let mut words = words.split_whitespace().map(|word| match word {
            "{jars}" => class_path(&self.installed.join("jars")),
            word => Ok(self.fill(word)),
        });
        let mut command = Command::new(words.next().context("a command has a program")??);
        command.args(words.collect::<anyhow::Result<Vec<_>>>()?);
        Ok(command)
    }

    /// Writes the settings for this start, and does what has to be done before the first one.
    async fn prepare(&self, life: &Life) -> anyhow::Result<()> {
        let data = self.data();
        fs::create_dir_all(&data)?;
        for (file, text) in self.server.files {
            let file = data.join(file);
            fs::write(&file, self.fill(text))
                .with_context(|| format!("writing {}", file.display()))?;
        }
        if let Some((made, words)) = self.server.first
            && !data.join(made).exists()
        {
            let process = self.spawn(&self.command(words)?, life)?;
            let Exit {
                part,
                how,
                last_lines,
            } = process.watch(life.stop.clone()).await;
            let words = last_lines.join("\n");
            ensure!(how == "exit status: 0", "preparing {part}: {how}: {words}");
        }
        Ok(())
    }

    /// Without a limit of its own where there is no HTTP: the server's end is noticed elsewhere, and whoever waits may
    /// stop us.
    async fn get_ready(&self) -> anyhow::Result<()> {
        let address = self.fill(self.server.ready);
        if address.starts_with("http://") {
            wait_until_answers(&address).await?;
        } else {
            while TcpStream::connect(&address).await.is_err() {
                sleep(ASK_EVERY).await;
            }
        }
        match self.server.set_up {
            Some(set_up) => set_up(&self.site.ports).await,
            None => Ok(()),
        }
    }
}

/// The jars of a folder, in a fixed order: the first of two classes of one name wins.
fn class_path(folder: &Path) -> anyhow::Result<String> {
    let jars = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let jars: Result<Vec<PathBuf>, _> = jars.map(|jar| jar.map(|jar| jar.path())).collect();
    let mut jars: Vec<_> = jars?.iter().map(|jar| jar.display().to_string()).collect();
    ensure!(!jars.is_empty(), "{} is empty: remove it", folder.display());
    jars.sort();
    Ok(jars.join(":"))
}

/// Below the folder that `gcloud` is installed in; the name of the jar has its version in it.
const EMULATOR: &str = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar";

/// The newest Pub/Sub emulator beside `gcloud`, which is on `PATH` as itself or as a link.
pub(crate) fn find_emulator(gcloud: &Path) -> anyhow::Result<PathBuf> {
    let gcloud = gcloud.canonicalize()?;
    let root = gcloud.parent().and_then(Path::parent);
    let pattern = root
        .context("gcloud is in the folder bin of its CLI")?
        .join(EMULATOR);
    let jars = glob::glob(&pattern.display().to_string())?;
    let newest = jars.filter_map(Result::ok).max_by_key(|jar| version(jar));
    newest.context("the Google Cloud CLI is there, its emulator is not: `gcloud components install pubsub-emulator`")
}

/// The numbers in the name of the jar: as text, 0.8.9 would be newer than 0.8.20.
fn version(jar: &Path) -> Vec<u32> {
    let name = jar.file_name().unwrap_or_default().to_string_lossy();
    let numbers = name.split(|character: char| !character.is_ascii_digit());
    numbers.filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_emulator_is_found_beside_the_real_gcloud() {
        let root = tempfile::tempdir().unwrap();
        let sdk = root.path().join("sdk");
        let lib = sdk.join("platform/pubsub-emulator/lib");
        fs::create_dir_all(sdk.join("bin")).unwrap();
        fs::write(sdk.join("bin/gcloud"), "").unwrap();
        let link = root.path().join("gcloud");
        std::os::unix::fs::symlink(sdk.join("bin/gcloud"), &link).unwrap();

        let message = find_emulator(&link).unwrap_err().to_string();
        assert!(message.contains("gcloud components install"), "{message}");

        fs::create_dir_all(&lib).unwrap();
        let jar = |version| lib.join(format!("cloud-pubsub-emulator-{version}-all.jar"));
        for version in ["0.8.9", "0.8.20"] {
            fs::write(jar(version), "").unwrap();
        }
        let newest = jar("0.8.20").canonicalize().unwrap();
        assert_eq!(find_emulator(&link).unwrap(), newest);
    }
}
