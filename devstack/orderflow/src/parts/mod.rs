//! What the stack is made of: children and in-process servers, each a task that ends with an [`Exit`].

pub(crate) mod kafka;
pub(crate) mod native;
pub(crate) mod own_log;
pub(crate) mod part;
pub(crate) mod postgres;
pub(crate) mod services;
pub(crate) mod stand_ins;

use std::fs::File;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lifeline::Lifeline;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::keep::{BackOff, Keeper, Life, Register, Restart};
use crate::process::{Exit, Process};
use crate::rundir::RunDir;
use crate::screen::{PartLog, Screen};
use crate::settings::Addresses;

/// What every part needs from its surroundings.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) screen: Screen,
    pub(crate) folder: Arc<RunDir>,
    /// What every child hangs on.
    pub(crate) lifeline: Lifeline,
    /// Where everything listens, once everything is ready.
    pub(crate) addresses: Arc<OnceLock<Addresses>>,
    /// How every part is doing.
    pub(crate) register: Arc<Register>,
}

impl Context {
    pub(crate) fn log(&self, part: &'static str) -> anyhow::Result<Arc<PartLog>> {
        let file = self.folder.create_log(part)?;
        Ok(Arc::new(PartLog::new(part, file, self.screen.clone())))
    }

    /// The log of one life of a part; the first one begins the file.
    fn log_of_life(&self, part: &'static str, life: &Life) -> anyhow::Result<Arc<PartLog>> {
        let file = self.file_of_life(part, life)?;
        Ok(Arc::new(PartLog::new(part, file, self.screen.clone())))
    }

    /// A log for the file alone: of a server that was written by others, who say more than our reader wants to know.
    fn quiet_log(&self, part: &'static str, life: &Life) -> anyhow::Result<Arc<PartLog>> {
        let file = self.file_of_life(part, life)?;
        Ok(Arc::new(PartLog::quiet(part, file)))
    }

    fn file_of_life(&self, part: &str, life: &Life) -> anyhow::Result<File> {
        if life.is_again {
            self.folder.reopen_log(part)
        } else {
            self.folder.create_log(part)
        }
    }

    /// Starts the child that a part is; it may take `patience` to end once it is asked to.
    pub(crate) fn spawn(
        &self,
        part: &'static str,
        command: &Command,
        patience: Duration,
        log: Arc<PartLog>,
    ) -> anyhow::Result<Process> {
        let process = Process::spawn(&self.lifeline, part, command, patience, log)?;
        self.register.set_pid(part, process.pid());
        Ok(process)
    }

    /// With a folder, and without anything that runs.
    #[cfg(test)]
    pub(crate) async fn for_test(folder: &std::path::Path) -> Self {
        let screen = Screen::new(crate::screen::Show::Problems);
        let folder = RunDir::open(folder, &screen).await.unwrap();
        Self {
            screen,
            lifeline: folder.lifeline(false).unwrap(),
            folder: Arc::new(folder),
            addresses: Arc::default(),
            register: Arc::default(),
        }
    }
}

/// Parts that are stopped together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) stop: CancellationToken,
    tasks: JoinSet<Exit>,
}

impl Group {
    /// Runs a part; one that cannot start ends with its error.
    pub(crate) fn add<F>(&mut self, part: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<Exit>> + Send + 'static,
    {
        self.tasks.spawn(async move {
            task.await
                .unwrap_or_else(|error| Exit::failed(part, &error))
        });
    }

    /// Runs a part, and starts it again by the rules of `restart`; the receiver is told when it is ready for the first time.
    pub(crate) fn keep<F>(
        &mut self,
        context: &Context,
        part: &'static str,
        restart: Restart,
        begin: impl FnMut(Life) -> F + Send + 'static,
    ) -> oneshot::Receiver<()>
    where
        F: Future<Output = anyhow::Result<Exit>> + Send + 'static,
    {
        let (ready, receiver) = oneshot::channel();
        let keeper = Keeper::new(context.clone(), part, restart, self.stop.clone());
        self.add(part, keeper.keep(ready, begin));
        receiver
    }

    /// As [`Group::keep`], for a part inside this process that loses something when it stops: `loses` says what.
    pub(crate) fn keep_inside<F>(
        &mut self,
        context: &Context,
        part: &'static str,
        loses: &'static str,
        begin: impl FnMut(Life) -> F + Send + 'static,
    ) where
        F: Future<Output = anyhow::Result<Exit>> + Send + 'static,
    {
        let keeper = Keeper::new(context.clone(), part, again(), self.stop.clone()).inside(loses);
        // Nobody waits until it is ready: its clients could connect since its port was claimed.
        let (ready, _) = oneshot::channel();
        self.add(part, keeper.keep(ready, begin));
    }

    /// The first part of the group to end; waits for ever when there is none.
    pub(crate) async fn first_end(&mut self) -> Exit {
        match self.tasks.join_next().await {
            Some(Ok(exit)) => exit,
            Some(Err(panic)) => Exit::failed("orderflow", &panic.into()),
            None => std::future::pending().await,
        }
    }

    /// Asks all to stop and waits until they have.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// How most parts are kept: whatever becomes of one, it is started again.
pub(crate) fn again() -> Restart {
    Restart::Always(BackOff::default())
}

/// What a part tells once it is ready. One that fails tells nothing: its end is noticed elsewhere.
pub(crate) async fn told<T>(ready: oneshot::Receiver<T>) -> T {
    match ready.await {
        Ok(value) => value,
        Err(_gone) => std::future::pending().await,
    }
}
