//! Keeps a part alive: a life of it after the other, with a pause between them that grows, until it is told to stop.
//!
//! A life is a future that starts the part, says when it is ready, and ends with how the part ended.
//! Whoever wants something of a part (`orderflow stop`, `start`, `pause`, `resume`) asks the
//! [`Register`](crate::register::Register).

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::process::Exit;
use crate::register::{Outcome, PartStatus, Request, State, Wish};
use crate::screen::ERROR;
use crate::tree::{freeze, thaw};

/// How many of its last lines are shown of a part that goes on: in `up` they are on the screen already.
const SHOWN_LINES: usize = 5;

/// What begins a life of a part.
pub(crate) type Begin = Box<dyn FnMut(Life) -> BoxFuture<'static, anyhow::Result<Exit>> + Send>;

/// One life of a part.
#[derive(Debug)]
pub(crate) struct Life {
    ready: Option<oneshot::Sender<Option<u16>>>,
    /// Asks this life to end.
    pub(crate) stop: CancellationToken,
    /// Whether it has lived before in this stack.
    pub(crate) is_again: bool,
}

impl Life {
    /// Says, once, that it is ready, with the port that it chose, if it chose one.
    pub(crate) fn tell_ready(&mut self, port: Option<u16>) {
        // Nobody listens when the start was given up; the stop that follows is then at once.
        let _ = self.ready.take().map(|ready| ready.send(port));
    }
}

/// How a part lives, and so what can be done with it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// As a process, which is started again when it has died.
    Process,
    /// As a process that cannot be started again, for this reason: the stack ends with it.
    Once(&'static str),
    /// Inside this process; that is what happens when it is stopped.
    Inside(&'static str),
}

/// When a part that died is started again, and when it is given up.
#[derive(Debug, Clone, Copy)]
struct BackOff {
    /// Before the first new start; each further one waits twice as long.
    first: Duration,
    longest: Duration,
    /// A life that lasts this long was a good one: the next death counts as the first.
    good_life: Duration,
    /// How many lives in a row may be short.
    short_lives: u32,
}

const BACK_OFF: BackOff = BackOff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(30),
    good_life: Duration::from_secs(10),
    short_lives: 5,
};

impl BackOff {
    /// How long to wait after a life of `lasted`, and `short` ones until then; `None` when the part is given up.
    fn next_start(&self, lasted: Duration, short: &mut u32) -> Option<Duration> {
        if lasted >= self.good_life {
            *short = 0;
        }
        *short += 1;
        let pause = self.first * 2_u32.saturating_pow(*short - 1);
        (*short <= self.short_lives).then(|| pause.min(self.longest))
    }
}

/// One part that is kept.
pub(crate) struct Keeper {
    context: Context,
    name: &'static str,
    kind: Kind,
    begin: Begin,
    requests: mpsc::UnboundedReceiver<Request>,
    /// The whole stack stops.
    stop: CancellationToken,
    back_off: BackOff,
    short_lives: u32,
    is_again: bool,
    /// Told when the part is ready for the first time.
    first_ready: Option<oneshot::Sender<Option<u16>>>,
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
    /// A part by the name that people use for it; the receiver is told when it is ready for the first time.
    pub(crate) fn new(
        context: &Context,
        name: &'static str,
        kind: Kind,
        stop: CancellationToken,
        begin: Begin,
    ) -> (Self, oneshot::Receiver<Option<u16>>) {
        let (first_ready, is_ready) = oneshot::channel();
        let keeper = Self {
            context: context.clone(),
            name,
            kind,
            begin,
            requests: context.register.add(name),
            stop,
            back_off: BACK_OFF,
            short_lives: 0,
            is_again: false,
            first_ready: Some(first_ready),
            starter: None,
        };
        (keeper, is_ready)
    }

    /// Lives the first life, and each that follows.
    ///
    /// Ends with the stack, or when the part dies before it was ever ready, or when it cannot be started again.
    pub(crate) async fn keep(mut self) -> Exit {
        loop {
            let born = Instant::now();
            let end = self.live().await;
            self.is_again = true;
            self.note(|status| status.pid = None);
            match (end, self.kind) {
                (End::WithAll(exit), _) => return exit,
                (End::Stopped(answer), _) => {
                    self.stopped(answer);
                    if !self.lives_again(None).await {
                        return Exit::new(self.name, "stopped before".to_owned(), Vec::new());
                    }
                }
                (End::Died(exit), _) if self.first_ready.is_some() => return exit,
                (End::Died(exit), Kind::Once(why)) => {
                    let how = format!("{}; {why}", exit.how);
                    return Exit { how, ..exit };
                }
                (End::Died(exit), _) => {
                    let pause = self.died(&exit, born.elapsed());
                    if !self.lives_again(pause).await {
                        return exit;
                    }
                }
            }
        }
    }

    async fn live(&mut self) -> End {
        self.note(|status| status.state = State::Starting);
        let (ready, mut is_ready) = oneshot::channel();
        let stop = self.stop.child_token();
        let mut life = (self.begin)(Life {
            ready: Some(ready),
            stop: stop.clone(),
            is_again: self.is_again,
        });
        let mut waits = true;
        loop {
            tokio::select! {
                ended = &mut life => {
                    // It may have been ready for no longer than an instant.
                    if waits && let Ok(port) = is_ready.try_recv() {
                        self.is_ready(port);
                    }
                    return self.ended(ended);
                }
                told = &mut is_ready, if waits => {
                    waits = false;
                    if let Ok(port) = told {
                        self.is_ready(port);
                    }
                }
                () = self.stop.cancelled() => {
                    let ended = life.await;
                    return self.ended(ended);
                }
                Some(Request { wish, answer }) = self.requests.recv() => {
                    let outcome = match (wish, self.kind) {
                        (Wish::Stop, Kind::Once(why)) => {
                            Err(format!("{} cannot be stopped alone, and can be paused: {why}", self.name))
                        }
                        (Wish::Stop, _) => {
                            self.note(|status| status.state = State::Stopping);
                            stop.cancel();
                            let ended = life.await;
                            return match self.ended(ended) {
                                End::Died(_) => End::Stopped(answer),
                                end => end,
                            };
                        }
                        (Wish::Start, _) => Err(format!("{} runs already", self.name)),
                        (Wish::Pause, _) => self.pause(),
                        (Wish::Resume, _) => self.resume(),
                    };
                    let _ = answer.send(outcome);
                }
            }
        }
    }

    fn is_ready(&mut self, port: Option<u16>) {
        self.note(|status| {
            // One that was paused before it could say so is still paused.
            if status.state == State::Starting {
                status.state = State::Running;
            }
        });
        if let Some(first) = self.first_ready.take() {
            // Nobody listens when the start was given up; the stop that follows is then at once.
            let _ = first.send(port);
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

    fn stopped(&self, answer: oneshot::Sender<Outcome>) {
        let name = self.name;
        let lost = match self.kind {
            Kind::Inside(loses) => format!("; it lived inside the command, and {loses}"),
            Kind::Process | Kind::Once(_) => String::new(),
        };
        let text = format!("{name} is stopped{lost}; `orderflow start {name}` starts it again");
        let _ = answer.send(Ok(self.becomes(State::Stopped, text)));
    }

    /// Says how the part died and what comes of it; the pause before the next life, unless it is given up.
    fn died(&mut self, exit: &Exit, lasted: Duration) -> Option<Duration> {
        let (name, how, rules) = (self.name, &exit.how, self.back_off);
        let pause = rules.next_start(lasted, &mut self.short_lives);
        let what_now = match pause {
            Some(pause) => format!("it is started again in {} s", pause.as_secs()),
            None => format!(
                "it died {} times within {} s of its start and is given up; the rest goes on; \
                 `orderflow start {name}` tries again",
                rules.short_lives + 1,
                rules.good_life.as_secs()
            ),
        };
        self.note(|status| {
            status.last_end = Some(how.clone());
            status.state = pause.map_or(State::GivenUp, |_| State::Waiting);
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

    /// Waits until the part is to live again: for `pause`, or until somebody starts it. `false` when the stack stops.
    async fn lives_again(&mut self, pause: Option<Duration>) -> bool {
        let mut until = pause.map(|pause| Instant::now() + pause);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return false,
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    self.note(|status| status.restarts += 1);
                    return true;
                }
                Some(Request { wish, answer }) = self.requests.recv() => match wish {
                    Wish::Start => {
                        // What was before no longer counts.
                        self.short_lives = 0;
                        self.starter = Some(answer);
                        return true;
                    }
                    Wish::Stop if until.take().is_some() => self.stopped(answer),
                    Wish::Stop => drop(answer.send(Err(format!("{} is stopped already", self.name)))),
                    Wish::Pause | Wish::Resume => {
                        let how = format!("{0} does not run; `orderflow start {0}` starts it", self.name);
                        let _ = answer.send(Err(how));
                    }
                },
            }
        }
    }

    fn pause(&self) -> Outcome {
        let (name, status) = (self.name, self.note(|_| ()));
        if let Kind::Inside(_) = self.kind {
            return Err(format!(
                "{name} lives inside the command and cannot be paused; it can be stopped, and with --servers native paused too"
            ));
        }
        let pid = status.pid;
        let pid = pid.ok_or_else(|| format!("{name} does not run yet"))?;
        if status.state == State::Paused {
            return Err(format!("{name} is paused already"));
        }
        let lifeline = &self.context.lifeline;
        freeze(pid, |pids| {
            // Without a watcher, nobody lets it go on should we be killed.
            let _ = lifeline.freezing(pid, pids);
        });
        let text = format!("{name} is paused (SIGSTOP); `orderflow resume {name}` lets it go on");
        Ok(self.becomes(State::Paused, text))
    }

    fn resume(&self) -> Outcome {
        let (name, status) = (self.name, self.note(|_| ()));
        if status.state != State::Paused {
            return Err(format!("{name} is not paused"));
        }
        if let Some(pid) = status.pid {
            thaw(pid);
            let _ = self.context.lifeline.thawed(pid);
        }
        Ok(self.becomes(State::Running, format!("{name} goes on")))
    }

    /// What was asked for is done: it is noted, and told on the screen too.
    fn becomes(&self, state: State, text: String) -> String {
        self.note(|status| status.state = state);
        self.context.screen.tell(&text);
        text
    }

    fn note(&self, change: impl FnOnce(&mut PartStatus)) -> PartStatus {
        self.context.register.note(self.name, change)
    }
}

#[cfg(test)]
pub(crate) mod tests;
