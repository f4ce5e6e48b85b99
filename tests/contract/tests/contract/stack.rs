//! An embedded stack that lives as long as its value.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::addresses::Addresses;

/// On a machine that compiles at the same time; a warm start takes some seconds.
const START_PATIENCE: Duration = Duration::from_mins(3);
/// A stop that takes longer has hung, and is forced.
const STOP_PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(200);
/// Lines of the log that a failed start shows.
const LOG_TAIL: usize = 40;

/// `orderflow up` with a folder and ports of its own; dropping it stops everything.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) addresses: Addresses,
    _running: Running,
}

impl Stack {
    /// Starts a stack and waits until it is ready; `settings` are variables that its services inherit.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let program = program()?;
        let mut running = Running::start(&program, settings)?;
        let addresses = running
            .wait_until_ready(&program)
            .await
            .with_context(|| running.log_tail())?;
        Ok(Self {
            addresses,
            _running: running,
        })
    }
}

/// The process, and the folder that goes after it.
#[derive(Debug)]
struct Running {
    process: Option<Child>,
    folder: TempDir,
}

impl Running {
    fn start(program: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        // PostgreSQL refuses to run as root and changes its user, which must be able to get at its folder.
        let folder = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o755))
            .tempdir()?;
        let log = File::create(folder.path().join("up.log"))?;
        let mut command = Command::new(program);
        command
            .args(["up", "--fresh", "--free-ports", "--dir"])
            .arg(folder.path().join("stack"));
        command
            .env_remove("FAULT_DROP_CONTEXT")
            .env_remove("MESSAGING_TRACE_RELATION")
            .envs(settings.iter().copied());
        command
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log);
        let process = command
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self {
            process: Some(process),
            folder,
        })
    }

    async fn wait_until_ready(&mut self, program: &Path) -> anyhow::Result<Addresses> {
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            let env = Command::new(program)
                .args(["env", "--dir"])
                .arg(self.folder.path().join("stack"))
                .output()?;
            if env.status.success() {
                return Addresses::from_lines(&String::from_utf8(env.stdout)?);
            }
            let ended = self
                .process
                .as_mut()
                .map(Child::try_wait)
                .transpose()?
                .flatten();
            if let Some(status) = ended {
                bail!("the stack ended before it was ready: {status}");
            }
            ensure!(
                Instant::now() < deadline,
                "the stack is not ready after {START_PATIENCE:?}"
            );
            sleep(POLL).await;
        }
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("up.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n");
        format!("the end of what `orderflow up` said:\n{tail}\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let pid = Pid::from_raw(process.id().cast_signed());
        // It may have ended already; then there is nothing to tell it.
        kill(pid, Signal::SIGTERM).ok();
        let (ended, waiting) = mpsc::channel();
        let waiter = thread::spawn(move || ended.send(process.wait()).ok());
        if waiting.recv_timeout(STOP_PATIENCE).is_err() {
            eprintln!(
                "`orderflow up` did not stop within {STOP_PATIENCE:?} of SIGTERM, so it is killed"
            );
            kill(pid, Signal::SIGKILL).ok();
        }
        waiter.join().ok();
    }
}

/// The command of this workspace, in the profile these tests are built in; built when it is not there yet.
fn program() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test
        .ancestors()
        .nth(2)
        .context("tests run from target/<profile>/deps")?;
    let program = profile.join("orderflow");
    if !program.exists() {
        build(profile.ends_with("release"))?;
    }
    Ok(program)
}

/// Builds the command together with the services that it starts.
fn build(release: bool) -> anyhow::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--workspace", "--bins"])
        .args(release.then_some("--release"));
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status()?;
    ensure!(status.success(), "building the workspace failed: {status}");
    Ok(())
}
