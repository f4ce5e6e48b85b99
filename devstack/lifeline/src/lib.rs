//! Children that do not outlive the process that starts them, not even when that is killed by SIGKILL.
//!
//! One watcher, a small shell, holds the read end of a pipe whose write end we alone have. It knows every child's process
//! group, and ends what is left when the pipe closes, which the kernel does, however we end. What ends a child politely
//! while we live is the same watcher, on our word: there is one way in which a child ends.
//!
//! A child leads a group of its own and waits at a gate until the watcher knows of it.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{self, ChildStdin, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::process::{ChildStderr, ChildStdout};

const WATCH: &str = include_str!("lifeline.sh");

/// Becomes the program once a line comes, and ends when none can come any more.
const GATE: &str = r#"read -r _ && exec "$@""#;

/// How many processes are told of in one line: a line of a pipe arrives whole as long as it has at most 512 bytes.
const PIDS_A_LINE: usize = 16;

/// How long [`Lifeline::end_now`] waits; what hangs longer than that is left to the watcher.
const HURRY_LIMIT: Duration = Duration::from_secs(2);

/// How a child is ended.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// What asks it to end.
    pub polite: Signal,
    /// How long it may take then; counted in whole seconds.
    pub patience: Duration,
    /// What ends it at once; SIGKILL follows when not even that helps.
    pub last: Signal,
}

impl Ending {
    /// SIGTERM, and SIGKILL after `patience`.
    pub const fn after(patience: Duration) -> Self {
        Self {
            polite: Signal::SIGTERM,
            patience,
            last: Signal::SIGKILL,
        }
    }
}

/// What children hang on. Once the last clone is dropped, or this process is gone, they are ended.
#[derive(Debug, Clone)]
pub struct Lifeline {
    watcher: Arc<Watcher>,
}

#[derive(Debug)]
struct Watcher {
    process: Mutex<process::Child>,
    /// Absent once it was closed.
    input: Mutex<Option<ChildStdin>>,
}

impl Lifeline {
    /// Starts the watcher. `held` stays open, with every lock on it, until the last child has gone;
    /// then the folder `removed` is removed.
    pub fn start(held: Option<File>, removed: Option<&Path>) -> io::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let mut watcher = process::Command::new("sh");
        watcher
            .args(["-c", WATCH, "lifeline"])
            .arg(removed.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(held.map_or_else(Stdio::null, Stdio::from))
            .stderr(Stdio::null())
            // Neither Ctrl-C nor a terminal that is closed reaches it.
            .process_group(0);
        let mut process = watcher.spawn()?;
        let input = process.stdin.take();
        Ok(Self {
            watcher: Arc::new(Watcher {
                process: Mutex::new(process),
                input: Mutex::new(input),
            }),
        })
    }

    /// Starts `command` in a process group of its own.
    ///
    /// Of `command`, the program, the arguments, the variables and the folder count; whatever else the process needs,
    /// such as its output, is set by `prepare`. Its standard input is a pipe that stays open for as long as we live.
    pub fn spawn(
        &self,
        command: &process::Command,
        ending: Ending,
        prepare: impl FnOnce(&mut process::Command),
    ) -> io::Result<Child> {
        let mut command = gated(command);
        prepare(&mut command);
        let mut command = tokio::process::Command::from(command);
        let mut child = command.stdin(Stdio::piped()).process_group(0).spawn()?;
        let gate = child.stdin.take().expect("standard input is piped");
        let mut gate = File::from(gate.into_owned_fd()?);
        let pid = child.id().expect("nobody has waited for it");
        let Ending {
            polite,
            patience,
            last,
        } = ending;
        self.tell(&format!(
            "run {pid}:{}:{}:{}",
            name(polite),
            patience.as_secs(),
            name(last)
        ))?;
        gate.write_all(b"\n")?;
        Ok(Child {
            pid,
            process: child,
            lifeline: self.clone(),
            has_ended: false,
            _input: gate,
        })
    }

    /// These processes of the group that `leader` leads are about to stand still.
    pub fn freezing(&self, leader: u32, pids: &[u32]) -> io::Result<()> {
        for pids in pids.chunks(PIDS_A_LINE) {
            let words: Vec<_> = pids.iter().map(|pid| format!("{leader}:{pid}")).collect();
            self.tell(&format!("frozen {}", words.join(" ")))?;
        }
        Ok(())
    }

    /// The group that `leader` leads goes on.
    pub fn thawed(&self, leader: u32) -> io::Result<()> {
        self.tell(&format!("thawed {leader}"))
    }

    /// Ends every child that is left, politely, and returns once the last has gone and the folder is removed.
    pub async fn close(self) {
        self.hang_up();
        let watcher = Arc::clone(&self.watcher);
        let gone = move || {
            watcher
                .process
                .lock()
                .expect("no panic while waiting")
                .wait()
        };
        // A thread that panicked or could not start, and a watcher that somebody killed: nothing is left to wait for.
        let _ = tokio::task::spawn_blocking(gone).await;
    }

    /// Ends every child that is left at once, and returns as soon as that is done, or after two seconds.
    pub fn end_now(&self) {
        let _ = self.tell("hurry");
        self.hang_up();
        let deadline = Instant::now() + HURRY_LIMIT;
        while Instant::now() < deadline && !self.has_ended() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    fn has_ended(&self) -> bool {
        // Whoever holds it waits for the end too.
        let process = self.watcher.process.try_lock();
        process.is_ok_and(|mut process| !matches!(process.try_wait(), Ok(None)))
    }

    fn hang_up(&self) {
        drop(
            self.watcher
                .input
                .lock()
                .expect("no panic while telling")
                .take(),
        );
    }

    fn tell(&self, line: &str) -> io::Result<()> {
        let mut input = self.watcher.input.lock().expect("no panic while telling");
        let input = input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(format!("{line}\n").as_bytes())
    }
}

fn gated(command: &process::Command) -> process::Command {
    let mut gated = process::Command::new("sh");
    gated
        .args(["-c", GATE, "gate"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => gated.env(name, value),
            None => gated.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        gated.current_dir(folder);
    }
    gated
}

/// As a shell calls it.
fn name(signal: Signal) -> &'static str {
    signal.as_str().trim_start_matches("SIG")
}

/// A running child; dropping it asks it to end.
#[derive(Debug)]
pub struct Child {
    pid: u32,
    process: tokio::process::Child,
    lifeline: Lifeline,
    has_ended: bool,
    /// Held open and never written to: a child that reads its input learns of our end too.
    _input: File,
}

impl Child {
    /// Its process, which leads its group.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its standard output, if that was piped and nobody has taken it yet.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.process.stdout.take()
    }

    /// Its standard error, if that was piped and nobody has taken it yet.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.process.stderr.take()
    }

    /// How it ended, if it has.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.process.try_wait()?;
        if status.is_some() {
            self.has_gone();
        }
        Ok(status)
    }

    /// Waits until it has ended; what it left of its group is killed. Cancel safe.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.process.wait().await?;
        self.has_gone();
        Ok(status)
    }

    /// Asks it to end, and waits until it has, by itself or because its patience was over. Cancel safe.
    pub async fn stop(&mut self) -> io::Result<ExitStatus> {
        self.ask_to_end();
        self.wait().await
    }

    fn has_gone(&mut self) {
        if !self.has_ended {
            self.has_ended = true;
            // Without a watcher there is nobody who has to know.
            let _ = self.lifeline.tell(&format!("gone {}", self.pid));
        }
    }

    fn ask_to_end(&self) {
        let _ = self.lifeline.tell(&format!("stop {}", self.pid));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.has_ended {
            self.ask_to_end();
        }
    }
}

#[cfg(test)]
mod tests;
