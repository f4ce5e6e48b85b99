//! The whole stack: everything started, watched while the caller does its work, and stopped, whatever happens.

mod args;
mod start;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use crate::control;
use crate::parts::{Context, Group, Part, own_log, postgres, services};
use crate::process::{self, Exit};
use crate::rundir::{Run, RunDir, stop_leftovers};
use crate::screen::{LAST_LINES, Screen, Show};
use crate::settings::Addresses;
use crate::signals::Signals;
use crate::status::fault_notice;

use args::Plan;
pub(crate) use args::StackArgs;

/// What a shell calls a command that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// Services, stores and servers, which are stopped one after the other.
const GROUPS: u32 = 3;

/// For what is done between the groups, on a machine that is busy.
const ROOM: Duration = Duration::from_secs(5);

/// The longest that everything takes to stop in order, if the last part of each group has to be killed, and PostgreSQL
/// was starting when it was asked to stop. Whoever waits longer waits for something that hangs.
pub const STOP_LIMIT: Duration = process::STOP_LIMIT
    .saturating_mul(GROUPS)
    .saturating_add(postgres::FINISH_START)
    .saturating_add(ROOM);

/// What of the stack is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Everything,
    /// The servers without the services.
    Servers,
}

/// Starts everything in `dir`, runs `body` once all is ready, and stops everything in order:
/// when `body` has ended, on the first signal, or when a part ends that cannot be started again.
pub(crate) async fn with_stack<B>(
    dir: &Path,
    args: StackArgs,
    extent: Extent,
    show: Show,
    body: B,
) -> anyhow::Result<ExitCode>
where
    B: AsyncFnOnce(&Screen, &Addresses) -> anyhow::Result<ExitCode>,
{
    let folder = Arc::new(open_folder(dir, &args)?);
    let for_test = args.for_test;
    let outcome = run_in(Arc::clone(&folder), args, extent, show, body).await;
    if !for_test {
        return outcome;
    }
    let removed = fs::remove_dir_all(folder.path()).context("removing the folder of a test");
    outcome.and_then(|code| removed.map(|()| code))
}

async fn run_in<B>(
    folder: Arc<RunDir>,
    args: StackArgs,
    extent: Extent,
    show: Show,
    body: B,
) -> anyhow::Result<ExitCode>
where
    B: AsyncFnOnce(&Screen, &Addresses) -> anyhow::Result<ExitCode>,
{
    let screen = Screen::new(show);
    let with_services = extent == Extent::Everything;
    if with_services {
        services::check_built()?;
    }
    let signals = Signals::listen()?;
    if args.for_test {
        signals.stop_with_input();
    }
    clear_up(&screen, &folder, args.fresh).await?;
    let plan = args.plan(with_services)?;
    let run = Run::begin(&folder)?;
    for fault in run.faults() {
        screen.tell(&fault_notice(&fault));
    }
    let context = Context {
        screen,
        run: Arc::new(Mutex::new(run)),
        register: Arc::default(),
        folder,
        kill: signals.kill.clone(),
    };
    own_log::install(context.log(own_log::NAME)?)?;

    let control = control::serve(&context);
    let mut stack = Stack::new(context);
    let outcome = stack.run(&signals, plan, body).await;
    let ended = stack.stop().await;
    drop(control);
    outcome.and_then(|code| ended.map(|()| code))
}

fn open_folder(dir: &Path, args: &StackArgs) -> anyhow::Result<RunDir> {
    let folder = RunDir::open(dir)?;
    Ok(match args.data_folder() {
        Some(name) => folder.with_data_in(name),
        None => folder,
    })
}

async fn clear_up(screen: &Screen, folder: &RunDir, fresh: bool) -> anyhow::Result<()> {
    let stopped = stop_leftovers(folder).await?;
    if !stopped.is_empty() {
        screen.tell(&format!(
            "stopped what an earlier run had left running: {}",
            stopped.join(", ")
        ));
    }
    if fresh {
        folder.forget_data(&Part::ALL.map(Part::name))
    } else {
        Ok(())
    }
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
    fn new(context: Context) -> Self {
        let [services, stores, servers]: [Group; GROUPS as usize] = Default::default();
        Self {
            context,
            services,
            stores,
            servers,
        }
    }

    async fn run<B>(&mut self, signals: &Signals, plan: Plan, body: B) -> anyhow::Result<ExitCode>
    where
        B: AsyncFnOnce(&Screen, &Addresses) -> anyhow::Result<ExitCode>,
    {
        let screen = self.context.screen.clone();
        let addresses = tokio::select! {
            addresses = self.start(plan) => addresses?,
            () = signals.stop.cancelled() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        tokio::select! {
            code = body(&screen, &addresses) => code,
            exit = self.first_end() => Err(self.died(&exit)),
            () = signals.stop.cancelled() => {
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
        let lines = exit.lines_shown(LAST_LINES, &self.context.folder);
        anyhow!("{part}: {how}{lines}")
    }

    /// Services first, since they still write to the rest; then the stores; then what they all report to.
    async fn stop(mut self) -> anyhow::Result<()> {
        self.services.stop().await;
        self.stores.stop().await;
        self.servers.stop().await;
        self.context
            .run
            .lock()
            .expect("no panic while saving")
            .end()
            .context("cleaning up")
    }
}
