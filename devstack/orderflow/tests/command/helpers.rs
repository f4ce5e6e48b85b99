//! A folder with the command and five stand-in services beside it, and what the tests ask of a running stack.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;

pub(crate) const SERVICES: [&str; 5] = ["gateway", "orders", "inventory", "classifier", "email"];

/// The built command, with services and a run folder of its own.
pub(crate) struct Installation {
    folder: TempDir,
}

impl Installation {
    pub(crate) fn new() -> Self {
        // Beside the built programs, so that linking works and a root user's PostgreSQL account may enter.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::set_permissions(
            folder.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
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

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.folder.path().join("orderflow"));
        command
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
        let mut up = self.start_up();
        up.wait_for_stderr("ready: orders at http://");
        up
    }

    /// `orderflow up` on free ports, just started.
    pub(crate) fn start_up(&self) -> Up {
        let mut command = self.command(&["up", "--free-ports"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Up { child, stderr }
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

    /// Makes `run.json` say that the child `name` is the process `pid`; answers with the pid that it had.
    pub(crate) fn rename_child_to(&self, name: &str, pid: u32) -> u32 {
        let path = self.run_dir().join("run.json");
        let mut run: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let children = run["children"].as_array_mut().unwrap();
        let child = children
            .iter_mut()
            .find(|child| child["name"] == name)
            .unwrap();
        let before = std::mem::replace(&mut child["process"]["pid"], pid.into());
        fs::write(&path, run.to_string()).unwrap();
        u32::try_from(before.as_u64().unwrap()).unwrap()
    }

    /// Every child that `run.json` names, by name and pid.
    pub(crate) fn children(&self) -> Vec<(String, u32)> {
        let text = fs::read_to_string(self.run_dir().join("run.json")).unwrap();
        let run: serde_json::Value = serde_json::from_str(&text).unwrap();
        let child = |child: &serde_json::Value| {
            let pid = child["process"]["pid"].as_u64().unwrap();
            (
                child["name"].as_str().unwrap().to_owned(),
                u32::try_from(pid).unwrap(),
            )
        };
        run["children"]
            .as_array()
            .unwrap()
            .iter()
            .map(child)
            .collect()
    }
}

/// A running `orderflow up`; stopped when the test ends.
pub(crate) struct Up {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Up {
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

    /// Reads on until a line contains `text`.
    pub(crate) fn wait_for_stderr(&mut self, text: &str) {
        let mut seen = String::new();
        while self.stderr.read_line(&mut seen).unwrap() > 0 {
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

    pub(crate) fn rest_of_stderr(&mut self) -> String {
        let mut text = String::new();
        self.stderr.read_to_string(&mut text).unwrap();
        text
    }

    pub(crate) fn rest_of_stdout(&mut self) -> String {
        let mut text = String::new();
        self.child
            .stdout
            .as_mut()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal("-TERM");
            let _ = self.child.wait();
        }
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
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

pub(crate) fn is_running(pid: u32) -> bool {
    let status = Command::new("kill")
        .args(["-0", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
    status.unwrap().success() && !is_zombie(pid)
}

fn is_zombie(pid: u32) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    stdout(&output).starts_with('Z')
}
