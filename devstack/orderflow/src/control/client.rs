//! The side of a second terminal.

use std::io;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::{Answer, Question, SOCKET};
use crate::keep::{PartStatus, Wish};

/// Asks the stack in `dir` for something; answers with what was done, in words.
pub(crate) async fn ask(dir: &Path, part: &str, wish: Wish) -> anyhow::Result<String> {
    let part = part.to_owned();
    match put(dir, &Question::Wish { part, wish }).await? {
        Answer::Outcome(outcome) => outcome.map_err(anyhow::Error::msg),
        Answer::Parts(_) => bail!("this is no answer to what was asked"),
    }
}

/// How every part of the stack in `dir` is doing.
pub(crate) async fn status(dir: &Path) -> anyhow::Result<Vec<PartStatus>> {
    match put(dir, &Question::Status).await? {
        Answer::Parts(parts) => Ok(parts),
        Answer::Outcome(_) => bail!("this is no answer to what was asked"),
    }
}

async fn put(dir: &Path, question: &Question) -> anyhow::Result<Answer> {
    let stream = UnixStream::connect(dir.join(SOCKET)).await;
    let (reader, mut writer) = stream.map_err(|error| nobody(dir, &error))?.into_split();
    let line = serde_json::to_string(question)? + "\n";
    writer.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(reader).read_line(&mut answer).await?;
    serde_json::from_str(&answer).context("the stack ended before it answered")
}

fn nobody(dir: &Path, error: &io::Error) -> anyhow::Error {
    let dir = dir.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            anyhow!("nothing is running in {dir}: start it with `orderflow up`")
        }
        _ => anyhow!("the stack in {dir} cannot be asked: {error}"),
    }
}
