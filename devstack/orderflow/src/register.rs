//! What is known of every part, and how each is asked for something.

use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

/// How a part is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Started, and not ready yet.
    Starting,
    Running,
    Paused,
    /// Asked to stop, and finishing what is in hand.
    Stopping,
    /// It died, and is started again in a moment.
    Waiting,
    /// Somebody stopped it.
    Stopped,
    /// It died too often.
    GivenUp,
}

/// One part, as `orderflow status` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartStatus {
    pub(crate) name: String,
    pub(crate) state: State,
    /// Its process, if it is one and lives.
    pub(crate) pid: Option<u32>,
    /// How often it was started again after it had died.
    pub(crate) restarts: u32,
    /// How it ended the last time, if it has.
    pub(crate) last_end: Option<String>,
}

/// What somebody may want of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    Stop,
    Start,
    Pause,
    Resume,
}

/// What became of a wish, in words: done, or refused for a reason.
pub(crate) type Outcome = Result<String, String>;

/// A wish, and where the outcome is waited for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) wish: Wish,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

/// All parts that are kept, in the order of their start, each with where its requests go.
#[derive(Debug, Default)]
pub(crate) struct Register(Mutex<Vec<(PartStatus, mpsc::UnboundedSender<Request>)>>);

impl Register {
    fn parts(&self) -> MutexGuard<'_, Vec<(PartStatus, mpsc::UnboundedSender<Request>)>> {
        self.0.lock().expect("no panic while noting")
    }

    /// A new part; its requests arrive at the receiver.
    pub(super) fn add(&self, name: &str) -> mpsc::UnboundedReceiver<Request> {
        let (requests, receiver) = mpsc::unbounded_channel();
        let status = PartStatus {
            name: name.to_owned(),
            state: State::Starting,
            pid: None,
            restarts: 0,
            last_end: None,
        };
        self.parts().push((status, requests));
        receiver
    }

    /// Notes a change of one part, and answers with how it is then.
    pub(super) fn note(&self, name: &str, change: impl FnOnce(&mut PartStatus)) -> PartStatus {
        let mut parts = self.parts();
        let part = parts.iter_mut().find(|(status, _)| status.name == name);
        let (status, _) = part.expect("it was added");
        change(status);
        status.clone()
    }

    /// Every part as it is now.
    pub(crate) fn all(&self) -> Vec<PartStatus> {
        self.parts()
            .iter()
            .map(|(status, _)| status.clone())
            .collect()
    }

    /// Asks a part, and waits for what becomes of it.
    pub(crate) async fn ask(&self, name: &str, wish: Wish) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let ended = || format!("{name} has ended");
        self.requests_of(name)?
            .send(Request { wish, answer })
            .map_err(|_gone| ended())?;
        outcome.await.map_err(|_gone| ended())?
    }

    fn requests_of(&self, name: &str) -> Result<mpsc::UnboundedSender<Request>, String> {
        let parts = self.parts();
        if let Some((_, requests)) = parts.iter().find(|(status, _)| status.name == name) {
            return Ok(requests.clone());
        }
        let names: Vec<_> = parts.iter().map(|(part, _)| part.name.as_str()).collect();
        let names = names.join(", ");
        Err(format!("{name} is no part of this stack; it has {names}"))
    }
}
