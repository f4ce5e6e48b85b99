use std::process::Stdio;

use crate::helpers::{Installation, Up, is_running, stderr};

#[test]
fn sigterm_stops_everything_and_leaves_nothing_behind() {
    let installation = Installation::new();
    for signal in ["-TERM", "-INT", "-HUP"] {
        let mut up = installation.up();
        let children = installation.children();
        assert_eq!(children.len(), 7, "{children:?}");

        up.signal(signal);

        assert_eq!(up.wait().code(), Some(0), "{signal}");
        for (name, pid) in children {
            assert!(!is_running(pid), "{name} still runs after {signal}");
        }
        assert!(!installation.run_dir().join("run.json").exists());
        assert_eq!(installation.output(&["env"]).status.code(), Some(1));
    }
}

#[test]
fn a_signal_during_the_start_stops_what_has_started() {
    let installation = Installation::new();
    let mut up = installation.start(&["up", "--free-ports"]);
    up.wait_for_stderr("starting postgres");

    up.signal("-INT");

    assert_eq!(up.wait().code(), Some(130));
    assert!(!installation.run_dir().join("run.json").exists());
    drop(installation.up());
}

/// The database of the first run is there; the second is stopped at once, and the third wants it.
#[test]
fn a_start_that_was_killed_off_leaves_the_database_to_the_next() {
    let installation = Installation::new();
    drop(installation.up());
    let mut up = installation.start(&["up", "--free-ports"]);
    up.wait_for_stderr("starting postgres");

    up.signal("-INT");
    up.signal("-TERM");

    assert_eq!(up.wait().code(), Some(130));
    drop(installation.up());
}

/// How the suites of other packages start a stack: it ends with them, however they end.
#[test]
fn a_stack_for_a_test_ends_with_its_input_and_takes_its_folder_away() {
    let installation = Installation::new();
    let arguments = ["up", "--free-ports", "--only-servers", "--for-test"];
    let mut up = Up::start(installation.command(&arguments).stdin(Stdio::piped()));
    up.wait_for_stderr("ready: traces at");
    let children = installation.children();

    up.close_input();

    assert_eq!(up.wait().code(), Some(0), "{}", up.rest_of_stderr());
    for (name, pid) in children {
        assert!(!is_running(pid), "{name} still runs");
    }
    assert!(!installation.run_dir().exists());
}

#[test]
fn a_stack_for_a_test_that_cannot_begin_takes_its_folder_away_too() {
    let installation = Installation::new();
    installation.remove_service("email");
    let unbuilt: &[&str] = &["up", "--free-ports", "--for-test"];
    let unset = &["up", "--only-servers", "--servers=outside", "--for-test"];
    for (arguments, reason) in [(unbuilt, "not built"), (unset, "KAFKA_BROKERS")] {
        let output = installation.output(arguments);

        assert_eq!(output.status.code(), Some(1));
        let message = stderr(&output);
        assert!(message.contains(reason), "{message}");
        assert!(!installation.run_dir().exists(), "{reason}");
    }
}

#[test]
fn down_stops_the_stack_from_elsewhere() {
    let installation = Installation::new();
    let mut up = installation.up();

    let output = installation.output(&["down"]);

    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("stopping orderflow (pid {})", up.pid())));
    assert_eq!(up.wait().code(), Some(0));
}

#[test]
fn what_a_killed_command_left_running_is_stopped_by_down_and_by_the_next_start() {
    let installation = Installation::new();
    for next in [&["down"][..], &["demo", "--once", "--free-ports"]] {
        let mut up = installation.up();
        let children = installation.children();
        up.signal("-KILL");
        up.wait();
        let services = ["gateway", "orders", "inventory", "classifier", "email"];
        let survivors = children
            .iter()
            .filter(|(name, pid)| services.contains(&name.as_str()) && is_running(*pid));
        assert_eq!(survivors.count(), 5, "SIGKILL cannot be acted upon");

        let output = installation.output(next);

        assert!(
            stderr(&output).contains("gateway (pid "),
            "{}",
            stderr(&output)
        );
        for (name, pid) in children {
            assert!(!is_running(pid), "{name} still runs");
        }
    }
}

#[test]
fn a_stranger_that_got_the_pid_of_a_child_is_left_alone() {
    let installation = Installation::new();
    let mut up = installation.up();
    up.signal("-KILL");
    up.wait();
    let mut stranger = std::process::Command::new("sleep")
        .arg("600")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let gateway = installation.rename_child_to("gateway", stranger.id());

    installation.output(&["down"]);

    assert!(is_running(stranger.id()));
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    std::process::Command::new("kill")
        .arg(gateway.to_string())
        .status()
        .unwrap();
}

#[test]
fn down_with_nothing_running_is_no_failure() {
    let output = Installation::new().output(&["down"]);
    assert!(output.status.success());
    assert!(
        stderr(&output).contains("nothing is running in"),
        "{}",
        stderr(&output)
    );
}
