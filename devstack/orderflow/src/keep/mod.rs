//! Keeps a part alive: a life of it after the other, with a pause between them that grows, until it is told to stop.
//!
//! A life is a future that starts the part, says when it is ready, and ends with how the part ended.
//! Whoever wants something of a part (`orderflow stop`, `start`, `pause`, `resume`) asks the [`Register`].

mod back_off;

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::process::Exit;
use crate::register::{Outcome, PartStatus, Request, State, Wish};
use crate::screen::ERROR;
use crate::tree::{freeze, thaw};

pub(crate) use back_off::BackOff;
use back_off::Lives;

/// How many of its last lines are shown of a part that goes on: in `up` they are on the screen already.
const SHOWN_LINES: usize = 5;

/// One life of a part.
#[derive(Debug)]
pub(crate) struct Life {
    /// To be told once it is ready.
    pub(crate) ready: oneshot::Sender<()>,
    /// Asks this life to end.
    pub(crate) stop: CancellationToken,
    /// Whether it has lived before in this stack.
    pub(crate) is_again: bool,
}

/// What happens to a part that has ended by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Restart {
    /// It is started again.
    Always(BackOff),
    /// It cannot be, for this reason: the stack ends with it.
    Never(&'static str),
}

/// One part that is kept.
#[derive(Debug)]
pub(crate) struct Keeper {
    context: Context,
    name: &'static str,
    restart: Restart,
    /// What is lost when it is stopped, for a part that lives inside this process.
    inside: Option<&'static str>,
    requests: mpsc::UnboundedReceiver<Request>,
    /// The whole stack stops.
    stop: CancellationToken,
    lives: Lives,
    /// Who asked for the life that has begun, and waits for it to be ready.
    starter: Option<oneshot::Sender<Outcome>>,
}

/// How a life came to its end.
enum End {
    Died(Exit),
    /// Somebody asked for it, and is told.
    Stopped(oneshot::Sender<Outcome>),
    /// With the whole stack.
    WithAll(Exit),
}

impl Keeper {
    /// A part by the name that people use for it.
    pub(crate) fn new(
        context: Context,
        name: &'static str,
        restart: Restart,
        stop: CancellationToken,
    ) -> Self {
        let requests = context.register.add(name);
        Self {
            context,
            name,
            restart,
            inside: None,
            requests,
            stop,
            lives: Lives::default(),
            starter: None,
        }
    }

    /// A part that lives inside this process, and loses `what` when it is stopped.
    pub(crate) fn inside(mut self, what: &'static str) -> Self {
        self.inside = Some(what);
        self
    }

    /// Lives the first life, and each that follows; `ready` is told of the first one's.
    ///
    /// Ends with the stack, or when the part dies before it was ever ready, or when it cannot be started again.
    pub(crate) async fn keep<F>(
        mut self,
        ready: oneshot::Sender<()>,
        mut begin: impl FnMut(Life) -> F,
    ) -> anyhow::Result<Exit>
    where
        F: Future<Output = anyhow::Result<Exit>>,
    {
        let mut first_ready = Some(ready);
        let mut is_again = false;
        loop {
            let born = Instant::now();
            let end = self.live(&mut begin, is_again, &mut first_ready).await;
            is_again = true;
            self.context
                .register
                .note(self.name, |status| status.pid = None);
            match end {
                End::WithAll(exit) => return Ok(exit),
                End::Stopped(answer) => {
                    self.stopped(answer);
                    if self.wait_for_start(None).await.is_none() {
                        return Ok(self.nothing_left());
                    }
                }
                End::Died(exit) => match (self.restart, &first_ready) {
                    (Restart::Never(why), None) => return Ok(exit.because(why)),
                    (_, Some(_)) => return Ok(exit),
                    (Restart::Always(rules), None) => {
                        let pause = self.died(&exit, born.elapsed(), &rules);
                        if self.wait_for_start(pause).await.is_none() {
                            return Ok(exit);
                        }
                    }
                },
            }
        }
    }

    async fn live<F>(
        &mut self,
        begin: &mut impl FnMut(Life) -> F,
        is_again: bool,
        first_ready: &mut Option<oneshot::Sender<()>>,
    ) -> End
    where
        F: Future<Output = anyhow::Result<Exit>>,
    {
        self.note(State::Starting);
        let (ready, mut is_ready) = oneshot::channel();
        let stop = self.stop.child_token();
        let life = begin(Life {
            ready,
            stop: stop.clone(),
            is_again,
        });
        let mut life = std::pin::pin!(life);
        let mut waits = true;
        loop {
            tokio::select! {
                ended = &mut life => {
                    // It may have been ready for no longer than an instant.
                    if waits && is_ready.try_recv().is_ok() {
                        self.is_ready(first_ready);
                    }
                    return self.ended(ended);
                }
                told = &mut is_ready, if waits => {
                    waits = false;
                    if told.is_ok() {
                        self.is_ready(first_ready);
                    }
                }
                () = self.stop.cancelled() => return self.ended(life.await),
                Some(Request { wish, answer }) = self.requests.recv() => match wish {
                    Wish::Stop => match self.restart {
                        Restart::Always(_) => return self.end_life(life, &stop, answer).await,
                        Restart::Never(why) => {
                            let no = format!("{} cannot be stopped alone, and can be paused: {why}", self.name);
                            let _ = answer.send(Err(no));
                        }
                    },
                    Wish::Start => drop(answer.send(Err(format!("{} runs already", self.name)))),
                    Wish::Pause => drop(answer.send(self.pause())),
                    Wish::Resume => drop(answer.send(self.resume())),
                },
            }
        }
    }

    fn is_ready(&mut self, first_ready: &mut Option<oneshot::Sender<()>>) {
        // One that was paused before it could say so is still paused.
        if self.state() == State::Starting {
            self.note(State::Running);
        }
        if let Some(first) = first_ready.take() {
            // Nobody listens when the start was given up; the stop that follows is then at once.
            let _ = first.send(());
        }
        if let Some(starter) = self.starter.take() {
            let _ = starter.send(Ok(format!("{} runs, and is ready", self.name)));
        }
    }

    fn ended(&self, ended: anyhow::Result<Exit>) -> End {
        let exit = ended.unwrap_or_else(|error| Exit::failed(self.name, &error));
        if self.stop.is_cancelled() {
            End::WithAll(exit)
        } else {
            End::Died(exit)
        }
    }

    async fn end_life<F>(
        &self,
        life: Pin<&mut F>,
        stop: &CancellationToken,
        answer: oneshot::Sender<Outcome>,
    ) -> End
    where
        F: Future<Output = anyhow::Result<Exit>>,
    {
        self.note(State::Stopping);
        stop.cancel();
        let exit = life.await;
        if self.stop.is_cancelled() {
            return self.ended(exit);
        }
        End::Stopped(answer)
    }

    fn stopped(&self, answer: oneshot::Sender<Outcome>) {
        let name = self.name;
        self.note(State::Stopped);
        let lost = self
            .inside
            .map(|what| format!("; it lived inside the command, and {what}"));
        let lost = lost.unwrap_or_default();
        let text = format!("{name} is stopped{lost}; `orderflow start {name}` starts it again");
        self.context.screen.tell(&text);
        let _ = answer.send(Ok(text));
    }

    /// Says how the part died and what comes of it; the pause before the next life, unless it is given up.
    fn died(&mut self, exit: &Exit, lasted: Duration, rules: &BackOff) -> Option<Duration> {
        let pause = self.lives.next_start(lasted, rules);
        let name = self.name;
        let what_now = match pause {
            Some(pause) => format!("it is started again in {}", in_words(pause)),
            None => format!(
                "it died {} times within {} of its start and is given up; the rest goes on; \
                 `orderflow start {name}` tries again",
                rules.short_lives + 1,
                in_words(rules.good_life)
            ),
        };
        let how = &exit.how;
        self.context.register.note(name, |status: &mut PartStatus| {
            status.last_end = Some(how.clone());
            status.state = match pause {
                Some(_) => State::Waiting,
                None => State::GivenUp,
            };
        });
        let lines = exit.lines_shown(SHOWN_LINES, &self.context.folder.logs());
        self.context.screen.tell(&format!(
            "{ERROR}{name} died{ERROR:#} ({how}): {what_now}{lines}"
        ));
        if let Some(starter) = self.starter.take() {
            let _ = starter.send(Err(format!("{name} died again ({how}): {what_now}{lines}")));
        }
        pause
    }

    /// Waits until the part is to live again: for `pause`, or until somebody starts it. `None` when the stack stops.
    async fn wait_for_start(&mut self, pause: Option<Duration>) -> Option<()> {
        let mut until = pause.map(|pause| Instant::now() + pause);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    self.context.register.note(self.name, |status| status.restarts += 1);
                    return Some(());
                }
                Some(Request { wish, answer }) = self.requests.recv() => match wish {
                    Wish::Start => {
                        self.lives.forget();
                        self.starter = Some(answer);
                        return Some(());
                    }
                    Wish::Stop if until.take().is_some() => self.stopped(answer),
                    Wish::Stop => {
                        let _ = answer.send(Err(format!("{} is stopped already", self.name)));
                    }
                    Wish::Pause | Wish::Resume => {
                        let how = format!("{0} does not run; `orderflow start {0}` starts it", self.name);
                        let _ = answer.send(Err(how));
                    }
                },
            }
        }
    }

    fn pause(&self) -> Outcome {
        let name = self.name;
        if self.inside.is_some() {
            return Err(format!(
                "{name} lives inside the command and cannot be paused; it can be stopped, and with --servers native paused too"
            ));
        }
        let status = self.status();
        let pid = status
            .and_then(|status| status.pid)
            .ok_or_else(|| format!("{name} does not run yet"))?;
        if self.state() == State::Paused {
            return Err(format!("{name} is paused already"));
        }
        let lifeline = &self.context.lifeline;
        freeze(pid, |pids| {
            // Without a watcher, nobody lets it go on should we be killed.
            let _ = lifeline.freezing(pid, pids);
        });
        self.note(State::Paused);
        let text = format!("{name} is paused (SIGSTOP); `orderflow resume {name}` lets it go on");
        self.context.screen.tell(&text);
        Ok(text)
    }

    fn resume(&self) -> Outcome {
        let name = self.name;
        if self.state() != State::Paused {
            return Err(format!("{name} is not paused"));
        }
        if let Some(pid) = self.status().and_then(|status| status.pid) {
            thaw(pid);
            let _ = self.context.lifeline.thawed(pid);
        }
        self.note(State::Running);
        let text = format!("{name} goes on");
        self.context.screen.tell(&text);
        Ok(text)
    }

    fn note(&self, state: State) {
        let note = |status: &mut PartStatus| status.state = state;
        self.context.register.note(self.name, note);
    }

    fn state(&self) -> State {
        self.status().map_or(State::Starting, |status| status.state)
    }

    fn status(&self) -> Option<PartStatus> {
        let mut all = self.context.register.all().into_iter();
        all.find(|status| status.name == self.name)
    }

    fn nothing_left(&self) -> Exit {
        Exit::new(self.name, "stopped before".to_owned(), Vec::new())
    }
}

/// `1 s`, `50 ms`.
fn in_words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", duration.as_secs())
    }
}

#[cfg(test)]
mod tests;
