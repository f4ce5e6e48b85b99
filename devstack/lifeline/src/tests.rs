use std::fs;
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// A child that runs `script`, after it has said its first line: a number, if that is one.
struct Running {
    child: Child,
    said: u32,
}

async fn shell(lifeline: &Lifeline, patience: Duration, script: &str) -> Running {
    let mut command = Command::new("sh");
    let command = command.args(["-c", script]);
    let child = lifeline.spawn(command, Ending::after(patience), |command| {
        command.stdout(Stdio::piped());
    });
    let mut child = child.unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout().unwrap());
    stdout.read_line(&mut line).await.unwrap();
    Running {
        child,
        said: line.trim().parse().unwrap_or_default(),
    }
}

fn lifeline() -> Lifeline {
    Lifeline::start(None, None).unwrap()
}

fn runs(pid: u32) -> bool {
    let mut ps = Command::new("ps");
    let output = ps.args(["-o", "stat=", "-p", &pid.to_string()]).output();
    let state = String::from_utf8(output.unwrap().stdout).unwrap();
    !state.is_empty() && !state.starts_with('Z')
}

async fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "it has not happened");
        tokio::task::yield_now().await;
    }
}

fn file(folder: &TempDir) -> (PathBuf, String) {
    let path = folder.path().join("file");
    let name = path.display().to_string();
    (path, name)
}

/// Dropping closes the same pipe that the kernel closes when the process was killed.
#[tokio::test]
async fn a_child_whose_owner_is_gone_may_finish_what_is_in_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = file(&folder);
    let lifeline = lifeline();
    let script =
        format!("trap 'echo done > {name}; exit' TERM; echo; while :; do sleep 0.01; done");
    let running = shell(&lifeline, MINUTE, &script).await;
    let pid = running.child.pid();

    lifeline.hang_up();

    wait_until(|| path.exists() && !runs(pid)).await;
}

#[tokio::test]
async fn a_child_that_ignores_the_request_is_killed_with_all_of_its_group() {
    let lifeline = lifeline();
    let script = "trap '' TERM; sleep 600 & echo $!; while :; do sleep 0.01; done";
    let running = shell(&lifeline, SECOND, script).await;
    let (pid, grandchild) = (running.child.pid(), running.said);
    assert!(runs(pid) && runs(grandchild));

    lifeline.hang_up();

    wait_until(|| !runs(pid) && !runs(grandchild)).await;
}

#[tokio::test]
async fn a_child_that_stands_still_goes_on_and_ends() {
    let lifeline = lifeline();
    let running = shell(&lifeline, MINUTE, "sleep 600 & echo $!; wait").await;
    let both = [running.child.pid(), running.said];
    lifeline.freezing(both[0], &both).unwrap();
    for pid in both {
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGSTOP).unwrap();
    }

    lifeline.hang_up();

    wait_until(|| !both.iter().any(|pid| runs(*pid))).await;
}

#[tokio::test]
async fn a_lock_is_free_when_the_last_child_has_gone_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let lock = File::create(folder.path().join("lock")).unwrap();
    lock.try_lock().unwrap();
    let lifeline = Lifeline::start(Some(lock), None).unwrap();
    let script = "trap 'sleep 0.5; exit' TERM; echo; while :; do sleep 0.01; done";
    let mut running = shell(&lifeline, MINUTE, script).await;
    let free = || {
        let lock = File::open(folder.path().join("lock")).unwrap();
        lock.try_lock().is_ok()
    };

    lifeline.hang_up();

    assert!(!free());
    running.child.wait().await.unwrap();
    wait_until(free).await;
}

#[tokio::test]
async fn the_folder_is_removed_when_everything_has_ended() {
    let folder = tempfile::tempdir().unwrap().keep();
    fs::write(folder.join("file"), "").unwrap();
    let lifeline = Lifeline::start(None, Some(&folder)).unwrap();
    let mut running = shell(&lifeline, MINUTE, "echo; exec sleep 600").await;
    assert!(running.child.stop().await.is_ok());

    lifeline.close().await;

    assert!(!folder.exists());
}

#[tokio::test]
async fn a_stop_ends_one_child_and_tells_how() {
    let lifeline = lifeline();
    let other = shell(&lifeline, MINUTE, "echo; exec sleep 600").await;
    let mut one = shell(&lifeline, MINUTE, "echo; exec sleep 600").await;

    let status = one.child.stop().await.unwrap();

    assert_eq!(status.to_string(), "signal: 15 (SIGTERM)");
    assert!(runs(other.child.pid()));
}

#[tokio::test]
async fn what_a_child_leaves_of_its_group_ends_with_it() {
    let lifeline = lifeline();
    let mut running = shell(&lifeline, MINUTE, "sleep 600 & echo $!; exit 3").await;

    let status = running.child.wait().await.unwrap();

    assert_eq!(status.code(), Some(3));
    wait_until(|| !runs(running.said)).await;
}

#[tokio::test]
async fn in_a_hurry_nothing_is_waited_for() {
    let lifeline = lifeline();
    let deaf = "trap '' TERM; echo; while :; do sleep 0.01; done";
    let asked = shell(&lifeline, MINUTE, deaf).await;
    let unasked = shell(&lifeline, MINUTE, deaf).await;
    let pids = [asked.child.pid(), unasked.child.pid()];
    drop(asked);

    // Our own children are there until somebody has asked how they ended: that takes longer than the hurry.
    let hurry = tokio::task::spawn_blocking(move || lifeline.end_now());

    wait_until(|| !pids.iter().any(|pid| runs(*pid))).await;
    hurry.await.unwrap();
}

#[test]
fn a_child_that_the_watcher_does_not_know_never_begins() {
    let mut command = Command::new("echo");
    let output = gated(command.arg("begun")).stdin(Stdio::null()).output();
    assert_eq!(output.unwrap().stdout, b"");
}

#[tokio::test]
async fn a_child_gets_its_arguments_variables_and_folder() {
    let lifeline = lifeline();
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            r#"[ "$1" = "a  b" ] && [ "$V" = "*" ] && [ "$PWD" = / ]"#,
            "sh",
            "a  b",
        ])
        .env("V", "*")
        .current_dir("/");
    let child = lifeline.spawn(&command, Ending::after(SECOND), |_| {});
    assert!(child.unwrap().wait().await.unwrap().success());
}
