//! Processes that end with the test, and what they say.

use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use lifeline::{Child, Ending, Lifeline};
use tokio::time::{Instant, sleep};

/// When to give up waiting for something that takes seconds.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(100);
const TO_END: Duration = Duration::from_secs(10);

pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; what it says goes to a file of `folder`.
    pub(crate) fn start(
        name: &str,
        command: &Command,
        folder: &Path,
        lifeline: &Lifeline,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let (out, err) = (
            File::create(&log)?,
            File::options().append(true).open(&log)?,
        );
        let child = lifeline.spawn(command, Ending::after(TO_END), |command| {
            command.stdout(out).stderr(err);
        });
        Ok(Self {
            name: name.to_owned(),
            child: child.with_context(|| format!("starting {name}"))?,
            log,
        })
    }

    /// The file that has what it said.
    pub(crate) fn log(&self) -> PathBuf {
        self.log.clone()
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until `look` finds something, or says why not, with what the process said.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        look: impl AsyncFn() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: {}", self.name, self.said());
            }
            ensure!(
                Instant::now() < deadline,
                "{what}: not in {PATIENCE:?}; {} said: {}",
                self.name,
                self.said()
            );
            sleep(POLL).await;
        }
    }

    /// Waits until somebody listens on `port`.
    pub(crate) async fn listens(&mut self, port: u16) -> anyhow::Result<()> {
        let connect = async || {
            let connected = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
            Ok(connected.ok().map(drop))
        };
        self.until("listening", connect).await
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.stop().await?;
        Ok(())
    }
}

/// The newest of what `orderflow up --servers native` has installed under a name such as `kafka`.
pub(crate) fn installed(name: &str) -> anyhow::Result<PathBuf> {
    let cache = cache().join(format!("native/{name}-*"));
    let folders = glob::glob(&cache.display().to_string())?;
    let newest = folders
        .filter_map(Result::ok)
        .max_by_key(|folder| folder.metadata().and_then(|it| it.modified()).ok());
    newest.with_context(|| format!("nothing is at {}: `make native-up`", cache.display()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line of their own to take settings from"
)]
fn cache() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match variable("ORDERFLOW_CACHE") {
        Some(cache) => cache.into(),
        None => PathBuf::from(variable("HOME").unwrap_or_default()).join(".cache/orderflow"),
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}
