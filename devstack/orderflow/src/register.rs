//! What is known of every part, and how each is asked for something.

use std::sync::Mutex;

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

/// All parts that are kept, in the order of their start.
#[derive(Debug, Default)]
pub(crate) struct Register {
    parts: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    status: PartStatus,
    requests: mpsc::UnboundedSender<Request>,
}

impl Register {
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
        let mut parts = self.parts.lock().expect("no panic while noting");
        parts.push(Entry { status, requests });
        receiver
    }

    /// Notes a change of one part.
    pub(super) fn note(&self, name: &str, change: impl FnOnce(&mut PartStatus)) {
        let mut parts = self.parts.lock().expect("no panic while noting");
        let entry = parts.iter_mut().find(|entry| entry.status.name == name);
        change(&mut entry.expect("it was added").status);
    }

    /// Which process a part is now.
    pub(crate) fn set_pid(&self, name: &str, pid: u32) {
        self.note(name, |status| status.pid = Some(pid));
    }

    /// Every part as it is now.
    pub(crate) fn all(&self) -> Vec<PartStatus> {
        let parts = self.parts.lock().expect("no panic while noting");
        parts.iter().map(|entry| entry.status.clone()).collect()
    }

    /// Asks a part, and waits for what becomes of it.
    pub(crate) async fn ask(&self, name: &str, wish: Wish) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let requests = self.requests_of(name).ok_or_else(|| self.unknown(name))?;
        let sent = requests.send(Request { wish, answer });
        sent.map_err(|_gone| format!("{name} has ended"))?;
        outcome.await.map_err(|_gone| format!("{name} has ended"))?
    }

    fn requests_of(&self, name: &str) -> Option<mpsc::UnboundedSender<Request>> {
        let parts = self.parts.lock().expect("no panic while noting");
        let entry = parts.iter().find(|entry| entry.status.name == name)?;
        Some(entry.requests.clone())
    }

    fn unknown(&self, name: &str) -> String {
        let names: Vec<_> = self.all().into_iter().map(|part| part.name).collect();
        format!(
            "{name} is no part of this stack; it has {}",
            names.join(", ")
        )
    }
}
