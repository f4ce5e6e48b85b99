//! The process of the command.

use std::fs::{File, Permissions};
use std::io::{Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use orderflow::STOP_LIMIT;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::options::{Options, Servers};
use crate::program;

/// On a machine that compiles at the same time; a warm start takes some seconds.
const START_PATIENCE: Duration = Duration::from_mins(3);
/// The real servers are fetched and built first, if this machine has not done so before.
const BUILD_PATIENCE: Duration = Duration::from_mins(40);
const POLL: Duration = Duration::from_millis(200);
/// Lines of the log that a failed start shows.
const LOG_TAIL: usize = 40;

/// The process, which removes its folder when it ends.
#[derive(Debug)]
pub(crate) struct Running {
    program: PathBuf,
    process: Option<Child>,
    folder: PathBuf,
    /// What the command says: a file without a name, so that nothing is left of it.
    log: File,
}

/// A new folder for a stack, removed with the value.
///
/// PostgreSQL refuses to run as root and changes its user, which must be able to get at its folder.
pub fn folder() -> anyhow::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("orderflow-test-");
    let folder = builder.permissions(Permissions::from_mode(0o755)).tempdir();
    Ok(folder?)
}

/// The command of this build, about no stack yet.
pub fn command() -> anyhow::Result<Command> {
    Ok(Command::new(program::find_or_build()?))
}

impl Running {
    pub(crate) fn start(options: Options<'_>) -> anyhow::Result<Self> {
        let program = match options.program {
            Some(program) => program.to_owned(),
            None => program::find_or_build()?,
        };
        let folder = folder()?.keep();
        let log = tempfile::tempfile()?;
        let mut command = Command::new(&program);
        command
            .args(["up", "--for-test", "--free-ports"])
            .args(["--servers", options.servers.name()])
            .args((!options.services).then_some("--only-servers"))
            .arg("--dir")
            .arg(&folder)
            .env_remove("FAULT_DROP_CONTEXT")
            .env_remove("FAULT_EMBEDDINGS")
            .env_remove("FAULT_INVENTORY_DELAY_MS")
            .env_remove("FAULT_MAIL")
            .env_remove("MESSAGING_TRACE_RELATION")
            .envs(options.settings.iter().copied())
            .stdin(Stdio::piped())
            .stderr(log.try_clone()?)
            .stdout(log.try_clone()?);
        let process = command
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self {
            program,
            process: Some(process),
            folder,
            log,
        })
    }

    /// What `orderflow env` prints once everything is ready.
    pub(crate) async fn wait_until_ready(&mut self, servers: Servers) -> anyhow::Result<String> {
        let patience = match servers {
            Servers::Native => BUILD_PATIENCE,
            Servers::Embedded | Servers::Containers => START_PATIENCE,
        };
        let deadline = Instant::now() + patience;
        loop {
            let env = self.command().arg("env").output()?;
            if env.status.success() {
                return Ok(String::from_utf8(env.stdout)?);
            }
            let ended = self.process.as_mut().map(Child::try_wait);
            if let Some(status) = ended.transpose()?.flatten() {
                bail!("the stack ended before it was ready: {status}");
            }
            ensure!(
                Instant::now() < deadline,
                "the stack is not ready after {patience:?}"
            );
            sleep(POLL).await;
        }
    }

    /// What `orderflow env` prints for one service.
    pub(crate) fn settings_of(&self, service: &str) -> anyhow::Result<String> {
        let mut env = Command::new(&self.program);
        let env = env
            .args(["env", service, "--dir"])
            .arg(&self.folder)
            .output()?;
        ensure!(
            env.status.success(),
            "`orderflow env {service}`: {}",
            String::from_utf8_lossy(&env.stderr)
        );
        Ok(String::from_utf8(env.stdout)?)
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--dir").arg(&self.folder);
        command
    }

    pub(crate) fn log_tail(&mut self) -> String {
        match self.read_log() {
            Ok(log) => {
                let lines: Vec<&str> = log.lines().collect();
                let tail = lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n");
                format!("the end of what `orderflow up` said:\n{tail}\n")
            }
            Err(error) => format!("what `orderflow up` said cannot be read: {error}"),
        }
    }

    fn read_log(&mut self) -> std::io::Result<String> {
        let mut log = String::new();
        self.log.rewind()?;
        self.log.read_to_string(&mut log)?;
        Ok(log)
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
        if waiting.recv_timeout(STOP_LIMIT).is_err() {
            eprintln!(
                "`orderflow up` did not stop within {STOP_LIMIT:?} of SIGTERM, so it is killed"
            );
            kill(pid, Signal::SIGKILL).ok();
        }
        waiter.join().ok();
    }
}
