//! One child process: its output pumped, its end noticed, stopped in order; it never outlives us (see [`lifeline`]).
//!
//! A part starts a child by `context.spawn(name, &command, patience, log)`, reads its [`Process::first_line`] if it
//! introduces itself, and has it watched: `process.watch(life.stop)` ends with how it ended. There is nothing to record.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use lifeline::{Child, Ending, Lifeline};
use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::part_log::{LAST_LINES, PartLog};

/// How long a part may take to finish what is in hand; then it is killed.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(20);

/// How long output may still arrive after the end; a grandchild that kept the pipe must not hold us up.
const OUTPUT_LIMIT: Duration = Duration::from_secs(1);

/// How long parts take at most that are stopped together.
pub(crate) const STOP_LIMIT: Duration = DRAIN_LIMIT.saturating_add(OUTPUT_LIMIT);

/// The file of the program that runs.
pub(crate) fn own_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("finding our own program")
}

/// How a part ended.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) part: &'static str,
    /// `exit status: 1`, `signal: 9 (SIGKILL)`, or what an in-process server said.
    pub(crate) how: String,
    pub(crate) last_lines: Vec<String>,
}

impl Exit {
    /// Keeps of the part's lines the last that are worth showing.
    pub(crate) fn new(part: &'static str, how: String, mut lines: Vec<String>) -> Self {
        let last_lines = lines.split_off(lines.len().saturating_sub(LAST_LINES));
        Self {
            part,
            how,
            last_lines,
        }
    }

    /// The last `count` of its lines, each on a line of its own with the part's name, and where there are more.
    pub(crate) fn lines_shown(&self, count: usize, logs: &Path) -> String {
        let part = self.part;
        let skipped = self.last_lines.len().saturating_sub(count);
        let lines = self.last_lines.iter().skip(skipped);
        let lines: Vec<_> = lines.map(|line| format!("\n  {part} │ {line}")).collect();
        let log = logs.join(format!("{part}.log"));
        let more = format!("\n  more in {}", log.display());
        let more = log.is_file().then_some(more);
        lines.concat() + &more.unwrap_or_default()
    }

    /// A part that could not start, or that is in this process and failed.
    pub(crate) fn failed(part: &'static str, error: &anyhow::Error) -> Self {
        Self::new(part, format!("{error:#}"), Vec::new())
    }
}

/// A running child; dropping it asks it to end.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    patience: Duration,
    log: Arc<PartLog>,
    child: Child,
    pumps: JoinSet<()>,
}

impl Process {
    /// Starts `command`; it may take `patience` to end once it is asked to.
    pub(crate) fn spawn(
        lifeline: &Lifeline,
        name: &'static str,
        command: &Command,
        patience: Duration,
        log: Arc<PartLog>,
    ) -> anyhow::Result<Self> {
        let child = lifeline.spawn(command.as_std(), Ending::after(patience), |command| {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        });
        let mut child = child.with_context(|| format!("starting {name}"))?;
        let mut pumps = JoinSet::new();
        if let Some(stderr) = child.stderr() {
            pumps.spawn(pump(stderr, Arc::clone(&log)));
        }
        Ok(Self {
            name,
            patience,
            log,
            child,
            pumps,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Reads the first line of standard output, for a child that introduces itself.
    pub(crate) async fn first_line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let stdout = self.child.stdout();
        let mut stdout = BufReader::new(stdout.context("the first line was read before")?);
        stdout.read_line(&mut line).await?;
        self.pumps.spawn(pump(stdout, Arc::clone(&self.log)));
        anyhow::ensure!(!line.is_empty(), "{} ended without a word", self.name);
        Ok(line.trim_end().to_owned())
    }

    /// Waits for the end: the child's own, or the one that `stop` asks for.
    pub(crate) async fn watch(mut self, stop: CancellationToken) -> Exit {
        if let Some(stdout) = self.child.stdout() {
            self.pumps.spawn(pump(stdout, Arc::clone(&self.log)));
        }
        let status = tokio::select! {
            status = self.child.wait() => status,
            () = stop.cancelled() => self.stop().await,
        };
        let _ = tokio::time::timeout(OUTPUT_LIMIT, async {
            while self.pumps.join_next().await.is_some() {}
        })
        .await;
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        Exit::new(self.name, how, self.log.last_lines())
    }

    async fn stop(&mut self) -> io::Result<ExitStatus> {
        let asked = Instant::now();
        let status = self.child.stop().await?;
        if asked.elapsed() >= self.patience && status.signal() == Some(Signal::SIGKILL as i32) {
            let patience = self.patience;
            self.log.line(&format!(
                "it did not stop within {patience:?}, and was killed"
            ));
        }
        Ok(status)
    }
}

/// Hands every line to the log until the stream ends. Bytes that are no UTF-8 are replaced, not refused.
async fn pump(stream: impl AsyncRead + Unpin, log: Arc<PartLog>) {
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        log.line(&String::from_utf8_lossy(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Process, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(folder.path().join("log")).unwrap();
        let log = Arc::new(PartLog::new("part", file, None));
        let lifeline = Lifeline::start(None, None).unwrap();
        let mut command = Command::new("sh");
        let command = command.args(["-c", script]);
        let process = Process::spawn(&lifeline, "part", command, Duration::from_secs(1), log);
        (process.unwrap(), folder)
    }

    #[tokio::test]
    async fn tells_how_a_part_died_and_its_last_lines() {
        let (process, _folder) = shell("echo one; echo two >&2; exit 3");
        let exit = process.watch(CancellationToken::new()).await;
        assert_eq!(exit.how, "exit status: 3");
        assert!(
            exit.last_lines.contains(&"one".to_owned())
                && exit.last_lines.contains(&"two".to_owned())
        );
    }

    #[tokio::test]
    async fn a_stopped_part_may_finish_what_is_in_hand() {
        let (mut process, _folder) =
            shell("trap 'echo drained; exit 0' TERM; echo up; while :; do sleep 0.01; done");
        assert_eq!(process.first_line().await.unwrap(), "up");
        let stop = CancellationToken::new();
        stop.cancel();
        let exit = process.watch(stop).await;
        assert_eq!(exit.how, "exit status: 0");
        // Some shells also tell how their own child ended, which was asked as well.
        let last = exit.last_lines.last().map(String::as_str);
        assert_eq!(last, Some("drained"));
    }

    #[tokio::test]
    async fn a_part_that_ignores_the_request_is_killed_and_its_log_says_so() {
        let (mut process, _folder) = shell("trap '' TERM; echo up; while :; do sleep 0.01; done");
        process.first_line().await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        let exit = process.watch(stop).await;
        assert!(exit.how.contains("SIGKILL"), "{}", exit.how);
        let expected = "it did not stop within 1s, and was killed".to_owned();
        assert!(exit.last_lines.contains(&expected), "{:?}", exit.last_lines);
    }

    #[tokio::test]
    async fn a_part_that_reads_its_input_sees_it_stay_open_while_it_is_watched() {
        let (mut process, _folder) = shell("echo up; cat >/dev/null; exit 7");
        process.first_line().await.unwrap();
        let stop = CancellationToken::new();
        let mut watched = std::pin::pin!(process.watch(stop.clone()));
        let ended = tokio::time::timeout(Duration::from_millis(100), &mut watched).await;
        assert!(ended.is_err(), "its input was closed: {ended:?}");
        stop.cancel();
        assert!(watched.await.how.contains("SIGTERM"));
    }
}
