//! The real servers as plain processes: each is fetched or built once, started on loopback, and watched.
//!
//! What differs between them is said in their rows of the table of parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::Client;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::sleep;

use super::part::{Begin, Origin, Part, Ready, Server};
use super::{again, told};
use crate::context::Context;
use crate::keep::Life;
use crate::ports::Ports;
use crate::process::Exit;
use crate::ready::wait_until_answers;
use crate::topology;

/// One question; the next is asked soon enough.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const ASK_EVERY: Duration = Duration::from_millis(50);

/// One server of this start.
#[derive(Debug, Clone)]
struct Site {
    part: &'static Part,
    server: Server,
    installed: PathBuf,
    data: PathBuf,
    ports: Ports,
}

/// Where the real server of `part` is installed, fetched or built now if need be, or why it could not be; the screen says
/// so too.
pub(crate) async fn install(
    context: &Context,
    part: &Part,
    server: &Server,
    cache: &Path,
) -> anyhow::Result<Result<PathBuf, String>> {
    let title = server.title;
    let installed = match server.origin {
        Origin::Found(found) => found.look().await,
        Origin::Made(recipe) => {
            let log = context
                .folder
                .new_log(&format!("getting-{}", recipe.name))?;
            let making = || {
                let takes = recipe.takes;
                let words = format!("getting {title}, once: {takes}");
                context.screen.tell(&words);
            };
            recipe
                .install(cache, log, title, &context.lifeline, making)
                .await
        }
    };
    Ok(installed.map_err(|missing| {
        let instead = part.embedded.map_or("nothing", |_| "our own stand-in");
        let why = format!("not {title} but {instead}: {missing:#}");
        context.screen.tell(&format!("{}: {why}", part.name));
        why
    }))
}

/// Starts the real server of a part that is `installed`.
pub(crate) fn start(begin: &mut Begin<'_>, server: &Server, installed: PathBuf) -> Ready {
    let (part, context) = (begin.part, begin.context.clone());
    let site = Site {
        part,
        server: *server,
        installed,
        data: context.folder.data_of(part.name),
        ports: begin.ports.clone(),
    };
    let live = move |life| run(context.clone(), site.clone(), life);
    let ready = begin.group.keep(begin.context, part.name, again(), live);
    told(ready).map(|()| None).boxed()
}

/// One life: starts the server, sets it up, says so on `life.ready`, and keeps it until `life.stop`.
async fn run(context: Context, site: Site, life: Life) -> anyhow::Result<Exit> {
    let (name, server) = (site.part.name, site.server);
    let announced = context.screen.starting(name);
    site.prepare(&context, &life).await?;
    let mut command = site.command(server.command)?;
    command.envs(
        server
            .environment
            .iter()
            .map(|(variable, value)| (variable, site.fill(value))),
    );
    let log = context.quiet_log(name, life.is_again)?;
    let process = context.spawn(name, &command, server.patience, log)?;
    let mut watched = std::pin::pin!(process.watch(life.stop));
    tokio::select! {
        exit = &mut watched => return Ok(exit),
        done = site.get_ready() => done?,
    }
    let address = site.fill(site.part.address);
    announced.ready(&format!("{address}  {}", server.title));
    // Nobody listens when the start was given up; the stop that follows is then at once.
    let _ = life.ready.send(());
    Ok(watched.await)
}

impl Site {
    /// What is said in braces, for this start.
    fn fill(&self, template: &str) -> String {
        let text = self.ports.fill(template);
        text.replace("{installed}", &self.installed.display().to_string())
            .replace("{data}", &self.data.display().to_string())
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
    async fn prepare(&self, context: &Context, life: &Life) -> anyhow::Result<()> {
        fs::create_dir_all(&self.data)?;
        for (file, text) in self.server.files {
            let file = self.data.join(file);
            fs::write(&file, self.fill(text))
                .with_context(|| format!("writing {}", file.display()))?;
        }
        match self.server.first {
            Some((made, words)) if !self.data.join(made).exists() => {
                self.run_first(context, words, life).await
            }
            _ => Ok(()),
        }
    }

    async fn run_first(&self, context: &Context, words: &str, life: &Life) -> anyhow::Result<()> {
        let name = self.part.name;
        let (command, log) = (
            self.command(words)?,
            context.quiet_log(name, life.is_again)?,
        );
        let process = context.spawn(name, &command, self.server.patience, log)?;
        let exit = process.watch(life.stop.clone()).await;
        let (how, words) = (exit.how, exit.last_lines.join("\n"));
        ensure!(how == "exit status: 0", "preparing {name}: {how}: {words}");
        Ok(())
    }

    /// Without a limit of its own where there is no HTTP: the server's end is noticed elsewhere, and whoever waits may
    /// stop us.
    async fn get_ready(&self) -> anyhow::Result<()> {
        let address = self.fill(self.server.ready);
        if address.starts_with("http://") {
            let client = Client::builder().timeout(ANSWER_LIMIT).build()?;
            let answered = wait_until_answers(&client, &address).await;
            answered.map_err(anyhow::Error::msg)?;
        } else {
            while TcpStream::connect(&address).await.is_err() {
                sleep(ASK_EVERY).await;
            }
        }
        (self.server.set_up)(&self.ports).await
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

/// For a server that comes with everything.
pub(crate) fn nothing(_: &Ports) -> BoxFuture<'static, anyhow::Result<()>> {
    async { Ok(()) }.boxed()
}

pub(crate) fn create_topics(ports: &Ports) -> BoxFuture<'static, anyhow::Result<()>> {
    let brokers = ports.fill("{KAFKA}");
    async move { topology::create_topics(&brokers).await }.boxed()
}

pub(crate) fn create_subscriptions(ports: &Ports) -> BoxFuture<'static, anyhow::Result<()>> {
    let host = ports.fill("{PUBSUB}");
    async move { topology::create_subscriptions(&Client::builder().build()?, &host).await }.boxed()
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
