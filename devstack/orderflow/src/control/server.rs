//! The side of the running command.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Answer, Question, Run, faults, socket};
use crate::context::Context;
use crate::register::{Outcome, Register, Wish};

/// Longer than a part takes to stop, and than most take to start.
pub(super) const LIMIT: Duration = Duration::from_secs(40);

/// Longer than any question.
const MAX_QUESTION: u64 = 10_000;

/// Answers questions until it is dropped.
#[derive(Debug)]
pub(crate) struct Control {
    socket: PathBuf,
    _tasks: JoinSet<()>,
}

impl Drop for Control {
    fn drop(&mut self) {
        // The folder of a test may have been removed with it.
        let _ = fs::remove_file(&self.socket);
    }
}

/// Begins to answer.
pub(crate) fn serve(context: &Context) -> anyhow::Result<Control> {
    let socket = socket(context.folder.path())?;
    let listener = listen(&socket).with_context(|| format!("listening at {}", socket.display()))?;
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, context.clone()));
    Ok(Control {
        socket,
        _tasks: tasks,
    })
}

fn listen(path: &Path) -> anyhow::Result<UnixListener> {
    let folder = path.parent().context("a socket is in a folder")?;
    if !folder.is_dir() {
        // An earlier version had the socket itself there.
        let _ = fs::remove_file(folder);
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    // We hold the lock: whoever made it is gone.
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
        Question::Status => Answer::Run(Box::new(Run {
            command: std::process::id(),
            addresses: context.addresses.get().cloned(),
            faults: faults(),
            parts: context.register.all(),
        })),
        Question::Wish { part, wish } => {
            Answer::Outcome(fulfil(&context.register, &part, wish).await)
        }
    };
    let answer = serde_json::to_string(&answer)? + "\n";
    writer.write_all(answer.as_bytes()).await?;
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
