//! The whole stack: everything started, watched while the caller does its work, and stopped, whatever happens.

mod args;
mod start;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;
use lifeline::Lifeline;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::answers::fault_notice;
use crate::context::Context;
use crate::control;
use crate::part_log::{self, LAST_LINES};
use crate::parts::{Group, services};
use crate::process::{self, Exit};
use crate::rundir::RunDir;
use crate::screen::{Screen, Show};
use crate::settings::Addresses;
use crate::signals::{self, INTERRUPTED};
use crate::table::PARTS;

use args::Plan;
pub(crate) use args::{Source, StackArgs};

/// Services, stores and servers, which are stopped one after the other.
const GROUPS: u32 = 3;

/// For what is done between the groups, on a machine that is busy.
const ROOM: Duration = Duration::from_secs(5);

/// The longest that everything takes to stop in order, if the last part of each group has to be killed.
/// Whoever waits longer waits for something that hangs.
pub const STOP_LIMIT: Duration = process::STOP_LIMIT
    .saturating_mul(GROUPS)
    .saturating_add(ROOM);

/// Starts everything in `dir`, runs `body` once all is ready, and stops everything in order:
/// when `body` has ended, on the first signal, or when a part ends that cannot be started again.
pub(crate) async fn with_stack(
    dir: &Path,
    args: StackArgs,
    with_services: bool,
    show: Show,
    body: impl AsyncFnOnce(&Screen, &Addresses) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let screen = Screen::new(show);
    let children = Arc::new(OnceLock::<Lifeline>::new());
    let hurried = Arc::clone(&children);
    let stop = signals::listen(move || {
        if let Some(lifeline) = hurried.get() {
            lifeline.end_now();
        }
    })?;
    if args.for_test {
        signals::stop_with_input(stop.clone());
    }
    let folder = tokio::select! {
        folder = RunDir::open(dir, args.data_folder(), &screen) => Arc::new(folder?),
        () = stop.cancelled() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let lifeline = folder.lifeline(args.for_test)?;
    let lifeline = children.get_or_init(|| lifeline).clone();
    let context = Context {
        screen: screen.clone(),
        folder,
        lifeline: lifeline.clone(),
        addresses: Arc::default(),
        register: Arc::default(),
    };
    let outcome = run_in(context, &stop, args, with_services, body).await;
    lifeline.close().await;
    screen.flush();
    outcome
}

async fn run_in(
    context: Context,
    stop: &CancellationToken,
    args: StackArgs,
    with_services: bool,
    body: impl AsyncFnOnce(&Screen, &Addresses) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    if with_services {
        services::check_built()?;
    }
    if args.fresh {
        tokio::select! {
            done = forget_data(&context.folder) => done?,
            () = stop.cancelled() => return Ok(ExitCode::from(INTERRUPTED)),
        }
    }
    let plan = args.plan(with_services)?;
    for fault in control::faults() {
        context.screen.tell(&fault_notice(&fault));
    }
    part_log::write_own(context.log(part_log::OWN, false)?)?;
    let answering = control::serve(&context)?;
    let mut stack = Stack {
        context,
        services: Group::default(),
        stores: Group::default(),
        servers: Group::default(),
    };
    let outcome = stack.run(stop, plan, body).await;
    // Services first, since they still write to the rest; then the stores; then what they all report to.
    stack.services.stop().await;
    stack.stores.stop().await;
    stack.servers.stop().await;
    drop(answering);
    outcome
}

/// Whoever loses patience meanwhile leaves nothing that is half removed: see [`RunDir::forget_data`].
async fn forget_data(folder: &Arc<RunDir>) -> anyhow::Result<()> {
    let (done, is_done) = oneshot::channel();
    let folder = Arc::clone(folder);
    // Not one of the runtime's threads: those are waited for at the end.
    thread::spawn(move || done.send(folder.forget_data(&PARTS.each_ref().map(|part| part.name))));
    is_done.await?
}

/// The running parts, in three groups that are stopped one after the other.
struct Stack {
    context: Context,
    services: Group,
    /// What the services keep their data in and talk through.
    stores: Group,
    /// What everything else reports to, and the servers inside this process.
    servers: Group,
}

impl Stack {
    async fn run(
        &mut self,
        stop: &CancellationToken,
        plan: Plan,
        body: impl AsyncFnOnce(&Screen, &Addresses) -> anyhow::Result<ExitCode>,
    ) -> anyhow::Result<ExitCode> {
        let screen = self.context.screen.clone();
        let addresses = tokio::select! {
            addresses = self.start(plan) => addresses?,
            () = stop.cancelled() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        tokio::select! {
            code = body(&screen, &addresses) => code,
            exit = self.first_end() => Err(self.died(&exit)),
            () = stop.cancelled() => {
                screen.tell("stopping (Ctrl-C again kills at once)");
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    /// The first part to end for good.
    async fn first_end(&mut self) -> Exit {
        tokio::select! {
            exit = self.services.first_end() => exit,
            exit = self.stores.first_end() => exit,
            exit = self.servers.first_end() => exit,
        }
    }

    /// The message about a part that ended: how, and what it said last.
    fn died(&self, exit: &Exit) -> anyhow::Error {
        let Exit { part, how, .. } = exit;
        let lines = exit.lines_shown(LAST_LINES, &self.context.folder.logs());
        anyhow!("{part}: {how}{lines}")
    }
}
