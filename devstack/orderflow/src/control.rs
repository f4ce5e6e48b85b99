//! How every other command reaches the one that runs: a socket in the folder, a question and an answer per line.
//!
//! A socket, since an answer is waited for, is never that of a command that has gone, and leaves nothing on the disk:
//! among the addresses are keys.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufRead as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::context::Context;
use crate::register::{Outcome, PartStatus, Register, Wish};
use crate::settings::Addresses;

/// Longer than a part takes to stop, and than most take to start.
const LIMIT: Duration = Duration::from_secs(40);

/// Longer than anybody takes to answer; one that was frozen does not.
const PATIENCE: Duration = LIMIT.saturating_add(Duration::from_secs(5));

/// Longer than any question.
const MAX_QUESTION: u64 = 10_000;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    /// What runs, and how is it doing? Answered with a [`Run`].
    Status,
    /// Do this with a part. Answered with an [`Outcome`].
    Wish { part: String, wish: Wish },
}

/// What runs in a folder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The process of the `orderflow` command itself; everything is below it.
    pub(crate) command: u32,
    /// Where everything listens; absent until everything is ready.
    pub(crate) addresses: Option<Addresses>,
    /// The faults that are switched on, each as `NAME=value`.
    pub(crate) faults: Vec<String>,
    pub(crate) parts: Vec<PartStatus>,
}

/// The faults that our environment switches on; the services inherit them.
pub(crate) fn faults() -> Vec<String> {
    let environment = std::env::vars_os();
    let settings = environment
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut faults: Vec<_> = settings
        .filter(|(name, value)| name.starts_with("FAULT_") && !value.trim().is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    faults.sort();
    faults
}

/// The socket of a stack, in a folder of its own that nobody else may enter: not every system asks for the rights of a
/// socket itself. Its path may have about a hundred bytes, so the shorter one is taken.
fn socket(dir: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(dir)?.join("control").join("socket");
    let here = std::env::current_dir()?;
    Ok(match path.strip_prefix(&here) {
        Ok(relative) => relative.to_owned(),
        Err(_) => path,
    })
}

/// Asks the stack in `dir` for something; answers with what was done, in words.
pub(crate) fn ask(dir: &Path, part: &str, wish: Wish) -> anyhow::Result<String> {
    let part = part.to_owned();
    let outcome: Option<Outcome> = put(dir, &Question::Wish { part, wish })?;
    let outcome = outcome.ok_or_else(|| nobody(dir))?;
    outcome.map_err(anyhow::Error::msg)
}

impl Run {
    /// What runs in `dir`, or that nothing does.
    pub(crate) fn of(dir: &Path) -> anyhow::Result<Self> {
        put(dir, &Question::Status)?.ok_or_else(|| nobody(dir))
    }

    /// The stack that is running and ready in `dir`, if there is one.
    pub(crate) fn ready(dir: &Path) -> anyhow::Result<Option<(Self, Addresses)>> {
        let run: Option<Self> = put(dir, &Question::Status)?;
        Ok(run.and_then(|run| run.addresses.clone().map(|addresses| (run, addresses))))
    }
}

/// Nothing when nobody is there to answer. Whoever asks has nothing else to do until then, so it waits.
fn put<T: DeserializeOwned>(dir: &Path, question: &Question) -> anyhow::Result<Option<T>> {
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotADirectory, NotFound};
    use std::os::unix::net::UnixStream;
    let stream = match UnixStream::connect(socket(dir)?) {
        Ok(stream) => stream,
        Err(error) => match error.kind() {
            // There is no socket, the command that made it has gone, or the path is one that no stack can have.
            NotFound | NotADirectory | ConnectionRefused | InvalidInput => return Ok(None),
            _ => bail!("the stack in {} cannot be asked: {error}", dir.display()),
        },
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    let line = serde_json::to_string(question)? + "\n";
    (&stream).write_all(line.as_bytes())?;
    let mut answer = String::new();
    io::BufReader::new(&stream).read_line(&mut answer)?;
    serde_json::from_str(&answer).context("the stack ended before it answered")
}

fn nobody(dir: &Path) -> anyhow::Error {
    let dir = dir.display();
    anyhow!("nothing is running in {dir}: start it with `orderflow up`")
}

/// Answers questions until the answer is dropped. The socket stays, and whoever asks it then finds nobody.
pub(crate) fn serve(context: &Context) -> anyhow::Result<JoinSet<()>> {
    let socket = socket(context.folder.path())?;
    let listener = listen(&socket).with_context(|| format!("listening at {}", socket.display()))?;
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, context.clone()));
    Ok(tasks)
}

fn listen(path: &Path) -> anyhow::Result<UnixListener> {
    let folder = path.parent().context("a socket is in a folder")?;
    // Not a folder: an earlier version had the socket itself there.
    let _ = fs::remove_file(folder);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    // We hold the lock: whoever made the one that is there is gone.
    let _ = fs::remove_file(path);
    Ok(UnixListener::bind(path)?)
}

async fn accept(listener: UnixListener, context: Context) {
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let context = context.clone();
        // Whoever leaves early, or asks what we do not know, has ended the conversation.
        conversations.spawn(async move { drop(converse(stream, &context).await) });
        while conversations.try_join_next().is_some() {}
    }
}

async fn converse(stream: UnixStream, context: &Context) -> anyhow::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(MAX_QUESTION));
    reader.read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line)? {
        Question::Status => serde_json::to_string(&Run {
            command: std::process::id(),
            addresses: context.addresses.get().cloned(),
            faults: faults(),
            parts: context.register.all(),
        })?,
        Question::Wish { part, wish } => {
            serde_json::to_string(&fulfil(&context.register, &part, wish).await)?
        }
    };
    writer.write_all((answer + "\n").as_bytes()).await?;
    Ok(())
}

async fn fulfil(register: &Register, part: &str, wish: Wish) -> Outcome {
    let outcome = timeout(LIMIT, register.ask(part, wish)).await;
    outcome.unwrap_or_else(|_elapsed| match wish {
        Wish::Start => Ok(format!(
            "{part} is started and not ready yet; `orderflow status` says what it answers"
        )),
        Wish::Stop | Wish::Pause | Wish::Resume => Err(format!(
            "{part} has not answered within {} s",
            LIMIT.as_secs()
        )),
    })
}

#[cfg(test)]
mod tests;
