//! What the stack is made of: children and in-process servers, each a task that ends with an [`Exit`].

pub(crate) mod faults;
pub(crate) mod kafka;
pub(crate) mod native;
pub(crate) mod own_log;
pub(crate) mod part;
pub(crate) mod postgres;
pub(crate) mod services;
pub(crate) mod stand_ins;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::keep::{BackOff, Keeper, Life, Restart};
use crate::process::Exit;

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
