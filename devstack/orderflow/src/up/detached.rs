//! `orderflow up --detach`: the same command started again in the background, and its progress shown until it is ready.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::tell_ready;
use crate::rundir::{self, Lock, Run, TryLock};
use crate::screen::{Screen, Show};
use crate::signals::Signals;
use crate::stack::{Extent, INTERRUPTED};

/// How often the progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn run(dir: &Path, extent: Extent) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let mut progress = Progress::begin(dir)?;
    let signals = Signals::listen()?;
    let mut child = start(&progress)?;
    loop {
        progress.show()?;
        let started = Run::ready(dir)?.filter(|(run, _)| Some(run.command.pid) == child.id());
        if let Some((_, addresses)) = started {
            progress.show()?;
            let screen = Screen::new(Show::Everything);
            tell_ready(&screen, &addresses, extent, "`orderflow down`");
            return Ok(ExitCode::SUCCESS);
        }
        tokio::select! {
            status = child.wait() => {
                let status = status?;
                progress.show()?;
                let code = status.code().and_then(|code| u8::try_from(code).ok());
                return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
            }
            () = signals.stop.cancelled() => return stop(child, progress, &signals).await,
            () = sleep(LOOK_EVERY) => {}
        }
    }
}

/// Ctrl-C before everything is ready: then nothing stays. A second one kills at once, as it does in the foreground.
async fn stop(
    mut child: Child,
    mut progress: Progress,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    send(&child, Signal::SIGTERM);
    tokio::select! {
        status = child.wait() => drop(status?),
        () = signals.kill.cancelled() => {
            // Not the same again: two of one kind that come at once are one.
            send(&child, Signal::SIGINT);
            child.wait().await?;
        }
    }
    progress.show()?;
    Ok(ExitCode::from(INTERRUPTED))
}

fn send(child: &Child, signal: Signal) {
    if let Some(pid) = child.id() {
        rundir::send(pid, signal);
    }
}

fn start(progress: &Progress) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("finding our own program")?;
    let arguments = std::env::args_os().skip(1).map(|argument| {
        if argument == "--detach" {
            "--in-background".into()
        } else {
            argument
        }
    });
    Command::new(program)
        .args(arguments)
        // Its own group: neither Ctrl-C nor a terminal that is closed reaches it.
        .process_group(0)
        .stdin(Stdio::null())
        // The log lines of each part are in its file.
        .stdout(Stdio::null())
        .stderr(progress.file.try_clone()?)
        .spawn()
        .context("starting in the background")
}

/// What the command in the background says, in a file that outlives us.
struct Progress {
    file: File,
    reader: File,
}

impl Progress {
    fn begin(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join("up.log");
        let file = File::options().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("writing {}", path.display()))?;
        // A stack that runs here still writes to it; of one that has ended nobody wants to read.
        if matches!(Lock::try_take(dir)?, TryLock::Taken(_)) {
            file.set_len(0)?;
        }
        let mut reader = File::open(&path)?;
        reader.seek(SeekFrom::End(0))?;
        Ok(Self { file, reader })
    }

    /// Shows what came since the last time.
    fn show(&mut self) -> anyhow::Result<()> {
        let mut news = Vec::new();
        self.reader.read_to_end(&mut news)?;
        anstream::stderr().write_all(&news)?;
        Ok(())
    }
}
