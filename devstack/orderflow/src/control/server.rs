//! The side of the running command.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Answer, Question, SOCKET};
use crate::keep::{Outcome, Register, Wish};
use crate::parts::Context;

/// Longer than a part takes to stop, and than most take to start.
const LIMIT: Duration = Duration::from_secs(40);

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

/// Begins to answer. A folder in which it cannot listen still has its stack, without experiments.
pub(crate) fn serve(context: &Context) -> Control {
    let socket = context.folder.path().join(SOCKET);
    let mut tasks = JoinSet::new();
    match listen(&socket) {
        Ok(listener) => drop(tasks.spawn(accept(listener, Arc::clone(&context.register)))),
        Err(error) => context.screen.tell(&format!(
            "`orderflow status`, `stop`, `start` and `pause` do not work in this folder: {error:#}"
        )),
    }
    Control {
        socket,
        _tasks: tasks,
    }
}

fn listen(path: &Path) -> anyhow::Result<UnixListener> {
    // We hold the lock: whoever made it is gone.
    let _ = fs::remove_file(path);
    UnixListener::bind(path).with_context(|| format!("listening at {}", path.display()))
}

async fn accept(listener: UnixListener, register: Arc<Register>) {
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let register = Arc::clone(&register);
        // Whoever leaves early, or asks what we do not know, has ended the conversation.
        conversations.spawn(async move { drop(converse(stream, &register).await) });
        while conversations.try_join_next().is_some() {}
    }
}

async fn converse(stream: UnixStream, register: &Register) -> anyhow::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(MAX_QUESTION));
    reader.read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line)? {
        Question::Status => Answer::Parts(register.all()),
        Question::Wish { part, wish } => Answer::Outcome(fulfil(register, &part, wish).await),
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
