//! A folder with the command and five stand-in services beside it, and what the tests ask of a running stack.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};
use tempfile::TempDir;

pub(crate) const SERVICES: [&str; 5] = ["gateway", "orders", "inventory", "classifier", "email"];

/// What takes longer does not happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The built command, with services and a run folder of its own.
pub(crate) struct Installation {
    folder: TempDir,
}

impl Installation {
    pub(crate) fn new() -> Self {
        // Beside the built programs, so that linking works and a root user's PostgreSQL account may enter.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let orderflow = Path::new(env!("CARGO_BIN_EXE_orderflow"));
        let service = orderflow
            .with_file_name("examples")
            .join("stand_in_service");
        fs::hard_link(orderflow, folder.path().join("orderflow")).unwrap();
        for name in SERVICES {
            fs::hard_link(&service, folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn remove_service(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    /// Puts a program in the place of a service that ends as soon as it has said `last_words`.
    pub(crate) fn break_service(&self, name: &str, last_words: &str) {
        self.replace_service(name, &format!("echo {last_words}; exit 3"));
    }

    /// Puts a shell script in the place of a service.
    pub(crate) fn replace_service(&self, name: &str, script: &str) {
        self.remove_service(name);
        let program = self.folder.path().join(name);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// One of the stand-in services, started with the settings that `orderflow env` prints for it.
    pub(crate) fn start_service(&self, name: &str) -> Up {
        let settings = self.settings(&[name]);
        let settings = settings.iter().filter_map(|line| line.split_once('='));
        Up::start(Command::new(self.folder.path().join(name)).envs(settings))
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.folder.path().join("orderflow"));
        // Of the shell of whoever runs the tests, what finds programs and keeps downloads.
        let kept = ["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME"];
        let kept = std::env::vars_os().filter(|(name, _)| kept.iter().any(|it| name == it));
        command
            .env_clear()
            .envs(kept)
            .arg("--dir")
            .arg(self.run_dir())
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// `orderflow up` on free ports, ready.
    pub(crate) fn up(&self) -> Up {
        let mut up = self.start(&["up", "--free-ports"]);
        up.wait_for_stderr("ready: orders at http://");
        up
    }

    /// The command, just started.
    pub(crate) fn start(&self, arguments: &[&str]) -> Up {
        Up::start(&mut self.command(arguments))
    }

    /// `orderflow up --detach` on free ports, ready and alone.
    pub(crate) fn detached(&self) -> Detached<'_> {
        let output = self.output(&["up", "--free-ports", "--detach"]);
        let message = stderr(&output);
        assert!(output.status.success(), "{message}");
        Detached {
            installation: self,
            message,
        }
    }

    /// The settings that `orderflow env` prints.
    pub(crate) fn settings(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.output(&[&["env"], arguments].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output).lines().map(ToOwned::to_owned).collect()
    }

    pub(crate) fn setting(&self, name: &str) -> String {
        let settings = self.settings(&[]);
        let value = settings
            .iter()
            .find_map(|line| line.strip_prefix(&format!("{name}=")));
        value
            .unwrap_or_else(|| panic!("{name} is not in {settings:?}"))
            .to_owned()
    }

    /// The pid of the command that holds the lock.
    pub(crate) fn command_pid(&self) -> u32 {
        let lock = fs::read_to_string(self.run_dir().join("lock")).unwrap();
        lock.parse().unwrap()
    }

    /// Every child of the stack, by name and pid.
    pub(crate) fn children(&self) -> Vec<(String, u32)> {
        let output = self.output(&["status", "--json"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let parts: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
        let child = |part: &serde_json::Value| {
            let pid = u32::try_from(part["pid"].as_u64()?).unwrap();
            Some((part["name"].as_str()?.to_owned(), pid))
        };
        parts.iter().filter_map(child).collect()
    }

    /// Whatever runs that has to do with this installation: its programs, and those that were told of its folder.
    pub(crate) fn processes(&self) -> Vec<String> {
        let mut system = System::new().unwrap();
        let what = ProcessRefreshKind::nothing()
            .with_exe(UpdateKind::Always)
            .with_cwd(UpdateKind::Always)
            .with_cmd(UpdateKind::Always)
            .without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let folder = self.folder.path();
        let name = folder.to_str().unwrap();
        let is_ours = |process: &&sysinfo::Process| {
            let places = [process.exe(), process.cwd()].into_iter().flatten();
            let mut words = process.cmd().iter().filter_map(|word| word.to_str());
            process.status() != ProcessStatus::Zombie
                && (places.into_iter().any(|place| place.starts_with(folder))
                    || words.any(|word| word.contains(name)))
        };
        let ours = system.processes().values().filter(is_ours);
        ours.map(|process| format!("{} {:?}", process.pid(), process.cmd()))
            .collect()
    }

    /// Waits until nothing of it runs any more.
    pub(crate) fn wait_until_nothing_runs(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.processes().is_empty() {
            assert!(Instant::now() < deadline, "{:#?}", self.processes());
        }
    }
}

/// A running program, mostly `orderflow up`; stopped when the test ends.
pub(crate) struct Up {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Up {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Self {
            stdout: BufReader::new(child.stdout.take().unwrap()),
            stderr: BufReader::new(child.stderr.take().unwrap()),
            child,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// How it ended, if it does within `limit`.
    pub(crate) fn wait_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            let status = self.child.try_wait().unwrap();
            if status.is_some() || Instant::now() > deadline {
                return status;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    pub(crate) fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    pub(crate) fn wait_for_stdout(&mut self, text: &str) {
        wait_for(text, &mut self.stdout);
    }

    pub(crate) fn wait_for_stderr(&mut self, text: &str) {
        wait_for(text, &mut self.stderr);
    }

    pub(crate) fn rest_of_stdout(&mut self) -> String {
        rest_of(&mut self.stdout)
    }

    pub(crate) fn rest_of_stderr(&mut self) -> String {
        rest_of(&mut self.stderr)
    }
}

/// Reads on until a line contains `text`.
fn wait_for(text: &str, output: &mut impl BufRead) {
    let mut seen = String::new();
    while output.read_line(&mut seen).unwrap() > 0 {
        if seen
            .lines()
            .next_back()
            .is_some_and(|line| line.contains(text))
        {
            return;
        }
    }
    panic!("it never said {text}: {seen}");
}

fn rest_of(output: &mut impl BufRead) -> String {
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    text
}

impl Drop for Up {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal("-TERM");
            let _ = self.child.wait();
        }
    }
}

/// A stack in the background; stopped when the test ends.
pub(crate) struct Detached<'a> {
    installation: &'a Installation,
    /// What the command said until it returned.
    pub(crate) message: String,
}

impl Drop for Detached<'_> {
    fn drop(&mut self) {
        self.installation.output(&["down"]);
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A plain GET; the whole answer, or nothing if the server went away.
pub(crate) fn get(base_url: &str, path: &str) -> String {
    let address = base_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// Asked in one question: between two, a process that has ended may be reaped.
pub(crate) fn is_running(pid: u32) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    let state = stdout(&output);
    !state.trim().is_empty() && !state.starts_with('Z')
}
