//! `orderflow up --detach`: the same command started again in the background, and its progress shown until it is ready.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::announce::tell_ready;
use crate::control::Run;
use crate::rundir::{Lock, TryLock};
use crate::screen::{Screen, Show};
use crate::signals::{self, INTERRUPTED};
use crate::stack::Extent;
use crate::tree;

/// Longer than the command in the background takes when it is to end at once.
const HURRY_LIMIT: Duration = Duration::from_secs(5);

/// How often the progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn run(dir: &Path, extent: Extent) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let screen = Screen::new(Show::Everything);
    let mut progress = Progress::begin(dir)?;
    let mut child = start(&progress)?;
    let pid = child.id().context("it has ended already")?;
    // The second signal ends it at once, as it does in the foreground.
    // Not the same again: two of one kind that come at once are one.
    let stop = signals::listen(move || {
        tree::send(pid, Signal::SIGINT);
        // We end with it, unless it hangs.
        std::thread::park_timeout(HURRY_LIMIT);
    })?;
    let status = loop {
        progress.show(&screen)?;
        let started = Run::ready(dir)?.filter(|(run, _)| run.command == pid);
        if let Some((_, addresses)) = started {
            progress.show(&screen)?;
            tell_ready(&screen, &addresses, extent, "`orderflow down`");
            screen.flush();
            return Ok(ExitCode::SUCCESS);
        }
        tokio::select! {
            status = child.wait() => break status?,
            // Ctrl-C before everything is ready: then nothing stays.
            () = stop.cancelled() => {
                tree::send(pid, Signal::SIGTERM);
                break child.wait().await?;
            }
            () = sleep(LOOK_EVERY) => {}
        }
    };
    progress.show(&screen)?;
    screen.flush();
    if stop.is_cancelled() {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
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
    /// The beginning of a line whose end has not come yet.
    unshown: Vec<u8>,
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
        let unshown = Vec::new();
        Ok(Self {
            file,
            reader,
            unshown,
        })
    }

    /// Shows what came since the last time.
    fn show(&mut self, screen: &Screen) -> anyhow::Result<()> {
        self.reader.read_to_end(&mut self.unshown)?;
        let end = self.unshown.iter().rposition(|byte| *byte == b'\n');
        if let Some(end) = end {
            let lines: Vec<u8> = self.unshown.drain(..=end).collect();
            screen.tell(String::from_utf8_lossy(&lines[..end]).as_ref());
        }
        Ok(())
    }
}
