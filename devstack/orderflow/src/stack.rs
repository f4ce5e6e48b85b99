//! The whole stack: everything started, watched while the caller does its work, and stopped, whatever happens.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use futures::future::try_join_all;
use tokio::sync::oneshot;

use crate::parts::{Context, Group, kafka, own_log, postgres, servers, services};
use crate::ports::{Claims, Port, Ports};
use crate::process::Exit;
use crate::ready::wait_until_ready;
use crate::rundir::{Run, RunDir, stop_leftovers};
use crate::screen::{PartLog, Screen, Show};
use crate::service::Service;
use crate::settings::{Addresses, Overrides};
use crate::signals::Signals;

/// What a shell calls a command that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// One question to a service; the next is asked soon enough.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// What `up` and `demo` are started with.
#[derive(Debug, Args)]
pub(crate) struct StackArgs {
    /// Forget what earlier runs kept (databases and logs).
    #[arg(long)]
    fresh: bool,
    /// Take free ports, so that it does not matter what else is running.
    #[arg(long)]
    free_ports: bool,
    #[command(flatten)]
    ports: Ports,
    #[command(flatten)]
    overrides: Overrides,
}

/// Starts everything in `dir`, runs `body` once all is ready, and stops everything in order:
/// when `body` has ended, on the first signal, or as soon as any part ends by itself.
pub(crate) async fn with_stack<B>(
    dir: &Path,
    args: StackArgs,
    show: Show,
    body: B,
) -> anyhow::Result<ExitCode>
where
    B: AsyncFnOnce(&Screen, &Addresses) -> anyhow::Result<ExitCode>,
{
    let screen = Screen::new(show);
    services::check_built()?;
    let folder = RunDir::open(dir)?;
    let signals = Signals::listen()?;
    clear_up(&screen, &folder, args.fresh).await?;
    let ports = if args.free_ports {
        args.ports.free()
    } else {
        args.ports
    };
    let (ports, claims) = ports.claim()?;
    let run = Arc::new(Mutex::new(Run::begin(&folder)?));
    let folder = Arc::new(folder);
    let context = Context {
        screen,
        folder,
        run,
        kill: signals.kill.clone(),
    };
    own_log::install(context.log(own_log::NAME)?)?;

    let mut stack = Stack::new(context);
    let outcome = stack
        .run(
            &signals,
            Plan {
                ports,
                claims,
                overrides: args.overrides,
            },
            body,
        )
        .await;
    let ended = stack.stop().await;
    outcome.and_then(|code| ended.map(|()| code))
}

async fn clear_up(screen: &Screen, folder: &RunDir, fresh: bool) -> anyhow::Result<()> {
    let stopped = stop_leftovers(folder).await?;
    if !stopped.is_empty() {
        screen.tell(&format!(
            "stopped what an earlier run had left running: {}",
            stopped.join(", ")
        ));
    }
    if fresh { folder.forget_data() } else { Ok(()) }
}

/// What is to be started where.
struct Plan {
    ports: Ports,
    claims: Claims,
    overrides: Overrides,
}

/// The running parts, in four groups that are stopped one after the other.
struct Stack {
    context: Context,
    services: Group,
    kafka: Group,
    postgres: Group,
    servers: Group,
}

impl Stack {
    fn new(context: Context) -> Self {
        let [services, kafka, postgres, servers] = Default::default();
        Self {
            context,
            services,
            kafka,
            postgres,
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

    async fn start(&mut self, mut plan: Plan) -> anyhow::Result<Addresses> {
        servers::start(
            &self.context,
            &mut self.servers,
            &plan.ports,
            &mut plan.claims,
        )?;
        let kafka_brokers = self.start_stores(&plan.ports, &mut plan.claims).await?;
        let addresses = Addresses {
            ports: plan.ports,
            kafka_brokers,
            overrides: plan.overrides,
        };
        self.start_services(&addresses, plan.claims).await?;
        self.context
            .run
            .lock()
            .expect("no panic while saving")
            .set_ready(&addresses)?;
        Ok(addresses)
    }

    /// PostgreSQL and Kafka, side by side; answers with Kafka's address.
    async fn start_stores(&mut self, ports: &Ports, claims: &mut Claims) -> anyhow::Result<String> {
        claims.release(Port::Postgres);
        let (ready, postgres) = oneshot::channel();
        let task = postgres::run(
            self.context.clone(),
            ports.of(Port::Postgres),
            ready,
            self.postgres.stop.clone(),
        );
        self.postgres.add(postgres::NAME, task);
        let (ready, kafka) = oneshot::channel();
        self.kafka.add(
            kafka::NAME,
            kafka::run(self.context.clone(), ready, self.kafka.stop.clone()),
        );
        let both = async { tokio::join!(told(kafka), told(postgres)).0 };
        tokio::select! {
            brokers = both => Ok(brokers),
            exit = self.first_end() => Err(self.died(&exit)),
        }
    }

    /// All five, side by side, until each says that it is ready.
    async fn start_services(
        &mut self,
        addresses: &Addresses,
        claims: Claims,
    ) -> anyhow::Result<()> {
        // All ports are let go before the first child starts: for the moment between its fork and its exec, a child
        // holds a copy of every socket that we still have, and another could not bind that port.
        drop(claims);
        let client = reqwest::Client::builder().timeout(READY_TIMEOUT).build()?;
        let mut waits = Vec::new();
        for service in Service::ALL {
            let line = self.context.screen.starting(service.name());
            let log = self.start_service(service, addresses)?;
            let (url, client) = (addresses.service_url(service), &client);
            waits.push(async move {
                let ready = wait_until_ready(client, &url).await;
                ready.map_err(|how| Exit::new(service.name(), how, log.last_lines()))?;
                line.ready(&url);
                Ok::<_, Exit>(())
            });
        }
        tokio::select! {
            all = try_join_all(waits) => all.map(|_| ()).map_err(|exit| self.died(&exit)),
            exit = self.first_end() => Err(self.died(&exit)),
        }
    }

    fn start_service(
        &mut self,
        service: Service,
        addresses: &Addresses,
    ) -> anyhow::Result<Arc<PartLog>> {
        let log = self.context.log(service.name())?;
        let (context, stop) = (self.context.clone(), self.services.stop.clone());
        let task = services::run(context, service, addresses.clone(), Arc::clone(&log), stop);
        self.services.add(service.name(), task);
        Ok(log)
    }

    /// The first part to end by itself.
    async fn first_end(&mut self) -> Exit {
        tokio::select! {
            exit = self.services.first_end() => exit,
            exit = self.kafka.first_end() => exit,
            exit = self.postgres.first_end() => exit,
            exit = self.servers.first_end() => exit,
        }
    }

    /// The message about a part that ended: how, and what it said last.
    fn died(&self, exit: &Exit) -> anyhow::Error {
        let Exit {
            part,
            how,
            last_lines,
        } = exit;
        let log = self
            .context
            .folder
            .path()
            .join("logs")
            .join(format!("{part}.log"));
        let lines = last_lines.iter().fold(String::new(), |all, line| {
            all + "
  " + part + " │ "
                + line
        });
        let more = if lines.is_empty() {
            String::new()
        } else {
            format!("\n  more in {}", log.display())
        };
        anyhow!("{part}: {how}{lines}{more}")
    }

    /// Services first, since they still write to the rest; then the stores; then what they all report to.
    async fn stop(mut self) -> anyhow::Result<()> {
        self.services.stop().await;
        tokio::join!(self.kafka.stop(), self.postgres.stop());
        self.servers.stop().await;
        self.context
            .run
            .lock()
            .expect("no panic while saving")
            .end()
            .context("cleaning up")
    }
}

/// What a part tells once it is ready. One that fails tells nothing: its end is noticed elsewhere.
async fn told<T>(ready: oneshot::Receiver<T>) -> T {
    match ready.await {
        Ok(value) => value,
        Err(_gone) => std::future::pending().await,
    }
}
