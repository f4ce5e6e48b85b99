//! What the stack is made of: children and in-process servers, each kept by a task that ends with an [`Exit`].

pub(crate) mod kafka;
pub(crate) mod native;
pub(crate) mod own_log;
pub(crate) mod part;
pub(crate) mod postgres;
pub(crate) mod services;
pub(crate) mod stand_ins;

use std::pin::pin;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::keep::{Begin, Keeper, Kind, Life};
use crate::process::{Exit, Process};
use crate::screen::PartLine;

/// Parts that are stopped together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    stop: CancellationToken,
    tasks: JoinSet<Exit>,
}

impl Group {
    /// Runs a part for as long as its kind allows; the future resolves once it is ready for the first time, to the port that
    /// it chose by itself. One that fails says nothing there: its end is noticed by its group.
    pub(crate) fn keep(
        &mut self,
        context: &Context,
        part: &'static str,
        kind: Kind,
        begin: Begin,
    ) -> impl Future<Output = Option<u16>> + use<> {
        let (keeper, ready) = Keeper::new(context, part, kind, self.stop.clone(), begin);
        self.tasks.spawn(keeper.keep());
        told(ready)
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

async fn told<T>(ready: oneshot::Receiver<T>) -> T {
    match ready.await {
        Ok(value) => value,
        Err(_gone) => std::future::pending().await,
    }
}

/// The rest of the life of a child that was started: it is ready once `address` says where it is.
async fn live(
    process: Process,
    starting: PartLine,
    life: Life,
    address: impl Future<Output = anyhow::Result<String>>,
) -> Exit {
    let mut watched = pin!(process.watch(life.stop.clone()));
    let address = tokio::select! {
        exit = &mut watched => return exit,
        address = address => address,
    };
    match address {
        Ok(address) => {
            starting.ready(&address);
            // Nobody listens when the start was given up; the stop that follows is then at once.
            let _ = life.ready.send(None);
            watched.await
        }
        Err(error) => {
            life.stop.cancel();
            let how = format!("{error:#}");
            Exit {
                how,
                ..watched.await
            }
        }
    }
}
