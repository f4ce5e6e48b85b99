//! The side of whoever asks. It has nothing else to do until it is answered, so it waits.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use super::server::LIMIT;
use super::{Answer, Question, Run, socket};
use crate::register::Wish;
use crate::settings::Addresses;

/// Longer than anybody takes to answer; one that was frozen does not.
const PATIENCE: Duration = LIMIT.saturating_add(Duration::from_secs(5));

/// Asks the stack in `dir` for something; answers with what was done, in words.
pub(crate) fn ask(dir: &Path, part: &str, wish: Wish) -> anyhow::Result<String> {
    let part = part.to_owned();
    match put(dir, &Question::Wish { part, wish })? {
        Some(Answer::Outcome(outcome)) => outcome.map_err(anyhow::Error::msg),
        Some(Answer::Run(_)) => bail!("this is no answer to what was asked"),
        None => Err(nobody(dir)),
    }
}

impl Run {
    /// What runs in `dir`, or that nothing does.
    pub(crate) fn of(dir: &Path) -> anyhow::Result<Self> {
        Self::find(dir)?.ok_or_else(|| nobody(dir))
    }

    /// The stack that is running and ready in `dir`, if there is one.
    pub(crate) fn ready(dir: &Path) -> anyhow::Result<Option<(Self, Addresses)>> {
        let run = Self::find(dir)?;
        Ok(run.and_then(|run| run.addresses.clone().map(|addresses| (run, addresses))))
    }

    /// The same, of what was found already.
    pub(crate) fn addresses(&self) -> Option<&Addresses> {
        self.addresses.as_ref()
    }

    fn find(dir: &Path) -> anyhow::Result<Option<Self>> {
        match put(dir, &Question::Status)? {
            Some(Answer::Run(run)) => Ok(Some(*run)),
            Some(Answer::Outcome(_)) => bail!("this is no answer to what was asked"),
            None => Ok(None),
        }
    }
}

/// Nothing when nobody is there to answer.
fn put(dir: &Path, question: &Question) -> anyhow::Result<Option<Answer>> {
    let stream = match UnixStream::connect(socket(dir)?) {
        Ok(stream) => stream,
        Err(error) if means_nobody(&error) => return Ok(None),
        Err(error) => bail!("the stack in {} cannot be asked: {error}", dir.display()),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    let line = serde_json::to_string(question)? + "\n";
    (&stream).write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer)?;
    let answer = serde_json::from_str(&answer);
    answer
        .map(Some)
        .context("the stack ended before it answered")
}

/// There is no socket, the command that made it has gone, or the path is one that no stack can have.
fn means_nobody(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotADirectory, NotFound};
    matches!(
        error.kind(),
        NotFound | NotADirectory | ConnectionRefused | InvalidInput
    )
}

fn nobody(dir: &Path) -> anyhow::Error {
    let dir = dir.display();
    anyhow!("nothing is running in {dir}: start it with `orderflow up`")
}
