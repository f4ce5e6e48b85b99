//! `orderflow up`: everything started, and kept until it is asked to stop, here or in the background.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::control::Run;
use crate::process::own_program;
use crate::rundir::try_lock;
use crate::screen::{Screen, Show};
use crate::settings::Addresses;
use crate::signals::{self, INTERRUPTED};
use crate::stack::{StackArgs, with_stack};
use crate::tree;

/// Longer than the command in the background takes when it is to end at once.
const HURRY_LIMIT: Duration = Duration::from_secs(5);

/// How often its progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Return once everything is ready, and leave it running until `orderflow down`.
    #[arg(long, conflicts_with = "for_test")]
    detach: bool,
    /// What `--detach` starts.
    #[arg(long, hide = true)]
    in_background: bool,
    /// Start the servers and none of the services: `orderflow env` tells where they are.
    #[arg(long)]
    only_servers: bool,
    #[command(flatten)]
    stack: StackArgs,
}

pub(crate) async fn run(dir: &Path, args: UpArgs) -> anyhow::Result<ExitCode> {
    let with_services = !args.only_servers;
    if args.detach {
        return detach(dir, with_services).await;
    }
    let body = async |screen: &Screen, addresses: &Addresses| {
        // In the background, whoever started us tells it.
        if !args.in_background {
            tell_ready(screen, addresses, with_services, "Ctrl-C");
        }
        std::future::pending().await
    };
    with_stack(dir, args.stack, with_services, Show::Everything, body).await
}

/// Once everything is ready: where people look first, what they do next, and what `stops` it.
fn tell_ready(screen: &Screen, addresses: &Addresses, with_services: bool, stops: &str) {
    let [orders, traces, mail] =
        ["GATEWAY_URL", "JAEGER_URL", "MAIL_URL"].map(|name| addresses.value(name));
    let (orders, next) = if with_services {
        let next = "`orderflow traffic` sends orders";
        (format!("orders at {orders}/orders, "), next)
    } else {
        let next = "`orderflow env` tells what services have to know";
        (String::new(), next)
    };
    screen.tell(&format!(
        "\nready: {orders}traces at {traces}, mail at {mail}"
    ));
    screen.tell(&format!("{next}, {stops} stops everything\n"));
}

/// Starts the same command again in the background, and shows its progress until it is ready.
async fn detach(dir: &Path, with_services: bool) -> anyhow::Result<ExitCode> {
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
            tell_ready(&screen, &addresses, with_services, "`orderflow down`");
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
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| match argument.to_str() {
        Some("--detach") => "--in-background".into(),
        _ => argument,
    });
    Command::new(own_program()?)
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
        if try_lock(dir)?.is_ok() {
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
