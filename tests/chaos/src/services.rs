//! The five services as children of the harness: killed, frozen, stopped and started as a cell wants it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::part::Part;
use crate::processes::signal;
use crate::undertaker::Undertaker;

/// Longer than any service's own deadline of 17 s (docs/reliability.md).
const STOPS_WITHIN: Duration = Duration::from_secs(25);

/// What one service is started with.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) program: PathBuf,
    pub(crate) settings: HashMap<String, String>,
    pub(crate) not_inherited: &'static [&'static str],
    pub(crate) log: PathBuf,
}

/// The services, each running or not.
#[derive(Debug)]
pub(crate) struct Services {
    recipes: HashMap<Part, Recipe>,
    running: HashMap<Part, Child>,
    undertaker: Undertaker,
}

impl Services {
    /// Starts all of them, and waits for none.
    pub(crate) fn start(recipes: HashMap<Part, Recipe>) -> anyhow::Result<Self> {
        let mut services = Self {
            recipes,
            running: HashMap::new(),
            undertaker: Undertaker::start()?,
        };
        for service in Part::SERVICES {
            services.start_one(service)?;
        }
        Ok(services)
    }

    pub(crate) fn start_one(&mut self, service: Part) -> anyhow::Result<()> {
        let recipe = &self.recipes[&service];
        let log = recipe.open_log()?;
        let mut command = Command::new(&recipe.program);
        for name in recipe.not_inherited {
            command.env_remove(name);
        }
        command
            .envs(&recipe.settings)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let child = command.spawn();
        let child = child.with_context(|| format!("starting {}", recipe.program.display()))?;
        self.running.insert(service, child);
        self.tell_undertaker()
    }

    /// SIGKILL: what it had in hand ends now.
    pub(crate) async fn kill(&mut self, service: Part) -> anyhow::Result<()> {
        self.take(service)?.kill().await?;
        self.tell_undertaker()
    }

    /// SIGTERM: it finishes what it has in hand; its status, or `None` if that took too long and it was killed.
    pub(crate) async fn stop(&mut self, service: Part) -> anyhow::Result<Option<ExitStatus>> {
        self.signal(service, Signal::SIGTERM)?;
        let mut child = self.take(service)?;
        let status = match timeout(STOPS_WITHIN, child.wait()).await {
            Ok(status) => Some(status?),
            Err(_elapsed) => {
                child.kill().await?;
                None
            }
        };
        self.tell_undertaker()?;
        Ok(status)
    }

    pub(crate) fn signal(&self, service: Part, which: Signal) -> anyhow::Result<()> {
        let pid = self.running.get(&service).and_then(Child::id);
        signal(
            pid.with_context(|| format!("{} runs", service.name()))?,
            which,
        )
    }

    /// Starts again what has ended by itself, and says what that was and how it ended.
    pub(crate) fn start_missing(&mut self) -> anyhow::Result<Vec<String>> {
        let mut ended = Vec::new();
        for (service, child) in &mut self.running {
            if let Some(status) = child.try_wait()? {
                ended.push((*service, status));
            }
        }
        for (service, _) in &ended {
            self.start_one(*service)?;
        }
        let words = ended.into_iter();
        Ok(words
            .map(|(service, status)| format!("{} ended by itself: {status}", service.name()))
            .collect())
    }

    /// The lines of a service's log that name something; none if it cannot be read.
    pub(crate) fn log_lines_with(&self, service: Part, what: &str) -> Vec<String> {
        let log = std::fs::read(&self.recipes[&service].log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines = log.lines().filter(|line| line.contains(what));
        lines.map(str::to_owned).collect()
    }

    /// Where it listens.
    pub(crate) fn url(&self, service: Part) -> anyhow::Result<String> {
        let address = self.recipes[&service].settings.get("LISTEN_ADDR");
        Ok(format!("http://{}", address.context("it has an address")?))
    }

    /// SIGTERM to all at once, and the end of each.
    pub(crate) async fn stop_all(&mut self) -> anyhow::Result<()> {
        for service in Part::SERVICES {
            if self.running.contains_key(&service) {
                self.signal(service, Signal::SIGTERM).ok();
            }
        }
        for service in Part::SERVICES {
            if let Some(mut child) = self.running.remove(&service)
                && timeout(STOPS_WITHIN, child.wait()).await.is_err()
            {
                child.kill().await?;
            }
        }
        self.tell_undertaker()
    }

    fn take(&mut self, service: Part) -> anyhow::Result<Child> {
        match self.running.remove(&service) {
            Some(child) => Ok(child),
            None => bail!("{} does not run", service.name()),
        }
    }

    fn tell_undertaker(&mut self) -> anyhow::Result<()> {
        let pids: Vec<_> = self.running.values().filter_map(Child::id).collect();
        self.undertaker.tell(&pids)
    }
}

impl Recipe {
    fn open_log(&self) -> anyhow::Result<File> {
        let mut options = OpenOptions::new();
        let log = options.create(true).append(true).open(&self.log);
        log.with_context(|| format!("opening {}", self.log.display()))
    }
}
