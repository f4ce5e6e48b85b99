//! The members' processes.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinSet;

use crate::calls::{Call, Calls, now};
use crate::member::Args;

/// Draining and leaving the group are bounded by five seconds each.
const STOPS_WITHIN: Duration = Duration::from_secs(15);

/// A member that runs.
#[derive(Debug)]
pub(crate) struct Process {
    number: usize,
    child: Child,
    /// The member ends when this is closed, which `Child::wait` would do to what is left in `child`.
    _lifeline: ChildStdin,
    /// Ends with the process.
    reading: JoinSet<anyhow::Result<Calls>>,
}

impl Process {
    pub(crate) fn start(number: usize, args: &Args) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["member", "--brokers", &args.brokers])
            .args(["--topic", &args.topic, "--group", &args.group])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context("starting a member")?;
        let lifeline = child.stdin.take().context("it is piped")?;
        let output = child.stdout.take().context("it is piped")?;
        let mut reading = JoinSet::new();
        reading.spawn(read(number, output));
        Ok(Self {
            number,
            child,
            _lifeline: lifeline,
            reading,
        })
    }

    /// SIGKILL: what it had in hand ends now.
    pub(crate) async fn kill(mut self) -> anyhow::Result<Vec<Call>> {
        self.ensure_runs()?;
        let killed = now();
        self.child.kill().await?;
        self.calls(killed).await
    }

    /// SIGTERM: it finishes what it has in hand, and leaves the group.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Vec<Call>> {
        self.ensure_runs()?;
        let pid = self.child.id().context("it runs")?;
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM)?;
        let number = self.number;
        let Ok(status) = tokio::time::timeout(STOPS_WITHIN, self.child.wait()).await else {
            bail!("member {number} did not stop within {STOPS_WITHIN:?} of SIGTERM");
        };
        let status = status?;
        ensure!(status.success(), "member {number} stopped with {status}");
        self.calls(now()).await
    }

    fn ensure_runs(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("member {} ended by itself: {status}", self.number);
        }
        Ok(())
    }

    async fn calls(mut self, process_ended: u128) -> anyhow::Result<Vec<Call>> {
        let calls = self.reading.join_next().await.context("it is read once")?;
        Ok(calls??.end(process_ended))
    }
}

async fn read(number: usize, output: ChildStdout) -> anyhow::Result<Calls> {
    let mut calls = Calls::of(number);
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        let read = serde_json::from_str(&line);
        calls.add(read.with_context(|| format!("member {number} said {line:?}"))?);
    }
    Ok(calls)
}
