//! What the stack is made of: children and in-process servers, each a task that ends with an [`Exit`].

pub(crate) mod address;
pub(crate) mod kafka;
pub(crate) mod native;
pub(crate) mod own_log;
mod part;
pub(crate) mod postgres;
pub(crate) mod services;
pub(crate) mod stand_ins;

use std::fs::File;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::keep::{BackOff, Keeper, Life, Register, Restart};
use crate::process::Exit;
use crate::rundir::{ProcessId, Run, RunDir};
use crate::screen::{PartLog, Screen};

pub(crate) use part::Part;

/// What every part needs from its surroundings.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) screen: Screen,
    pub(crate) folder: Arc<RunDir>,
    pub(crate) run: Arc<Mutex<Run>>,
    /// How every part is doing.
    pub(crate) register: Arc<Register>,
    /// Cancelled when there is no time left to stop in order.
    pub(crate) kill: CancellationToken,
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

    /// Writes a child down before anything else happens, so that it can be found should we be killed.
    fn record(&self, name: &str, id: Option<ProcessId>) -> anyhow::Result<()> {
        let mut run = self.run.lock().expect("no panic while saving");
        id.map_or(Ok(()), |id| run.add_child(name, id))
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
        let again = Restart::Always(BackOff::default());
        let keeper = Keeper::new(context.clone(), part, again, self.stop.clone()).inside(loses);
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
