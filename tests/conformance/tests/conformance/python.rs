//! Programs in Python: moto, which knows SNS, SQS and EventBridge, and a publisher.
//!
//! Their packages are those of `requirements.txt`, in a virtual environment beside what is built. The first run fetches
//! them, which takes a minute.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, bail, ensure};

const REQUIREMENTS: &str = include_str!("../../python/requirements.txt");

/// A server that starts when the first test needs it.
#[derive(Default)]
pub(crate) struct Moto(OnceLock<Result<Server, String>>);

impl Moto {
    /// The server, or why there is none.
    pub(crate) fn get(&self) -> Result<&Server, String> {
        let started = || Server::start().map_err(|error| format!("{error:#}"));
        self.0.get_or_init(started).as_ref().map_err(Clone::clone)
    }
}

/// A running moto.
pub(crate) struct Server {
    python: PathBuf,
    process: Child,
    pub(crate) endpoint: String,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let python = python()?;
        let mut server = program(&python, "server.py");
        // It lives for as long as its standard input is open, which is no longer than this process.
        let server = server.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = server.spawn().context("moto")?;
        let printed = process.stdout.take().context("its output is a pipe")?;
        let mut endpoint = String::new();
        BufReader::new(printed).read_line(&mut endpoint)?;
        ensure!(endpoint.starts_with("http"), "moto did not start");
        Ok(Self {
            python,
            process,
            endpoint: endpoint.trim().to_owned(),
        })
    }

    /// Publishes an order to `queue` by way of `way`; the ids of the trace and the span in which it was.
    pub(crate) async fn publish(&self, way: &str, queue: &str) -> (String, String) {
        let mut publisher = program(&self.python, "publisher.py");
        publisher.args([&*self.endpoint, way, queue]);
        let output = tokio::process::Command::from(publisher).output().await;
        let output = output.expect("Python runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        let printed = String::from_utf8_lossy(&output.stdout);
        let (trace_id, span_id) = printed.trim().split_once(' ').expect("two ids");
        (trace_id.to_owned(), span_id.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}

/// One of ours, which finds nothing of the shell that runs the tests: no proxy, and no account of AWS.
fn program(python: &Path, name: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let mut command = Command::new(python);
    command.env_clear().arg("-B").arg(folder.join(name));
    command
}

/// The interpreter of an environment with the packages, made unless it is there.
fn python() -> anyhow::Result<PathBuf> {
    let ours = std::env::current_exe()?;
    // Tests run from target/<profile>/deps.
    let target = ours
        .ancestors()
        .nth(3)
        .context("a program is in a folder")?;
    let folder = target.join("conformance-python");
    let lock = File::create(target.join("conformance-python.lock"))?;
    lock.lock()?;
    let (python, made_of) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if fs::read_to_string(&made_of).is_ok_and(|made_of| made_of == REQUIREMENTS) {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let packages = folder.join("to-install.txt");
    fs::write(&packages, REQUIREMENTS)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input"]);
    run(pip.arg("--requirement").arg(&packages))?;
    // Last, so that what was interrupted is made again.
    fs::rename(packages, made_of)?;
    Ok(python)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("no {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        bail!(
            "{}: {}",
            command.get_program().display(),
            last.unwrap_or("failed")
        );
    }
    Ok(())
}
