use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::helpers::{Installation, PATIENCE, Up, get, is_running, stderr, stdout};

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
        assert_eq!(installation.processes(), Vec::<String>::new());
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
    assert_eq!(installation.processes(), Vec::<String>::new());
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
    let unset = &[
        "up",
        "--only-servers",
        "--free-ports",
        "--servers=outside",
        "--for-test",
    ];
    for (arguments, reason) in [(unbuilt, "not built"), (unset, "KAFKA_BROKERS")] {
        // An input that is closed from the beginning would be a reason to stop as well.
        let mut up = Up::start(installation.command(arguments).stdin(Stdio::piped()));
        up.wait_for_stderr(reason);

        assert_eq!(up.wait().code(), Some(1), "{}", up.rest_of_stderr());
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
fn nothing_outlives_a_command_that_is_killed() {
    let installation = Installation::new();
    let mut up = installation.up();
    let (children, processes) = (installation.children(), installation.processes());
    assert_eq!(children.len(), 7);
    for (name, pid) in children {
        let found = processes
            .iter()
            .any(|line| line.starts_with(&format!("{pid} ")));
        assert!(found, "{name} is not among {processes:#?}");
    }

    up.signal("-KILL");
    up.wait();

    installation.wait_until_nothing_runs();
    let output = installation.output(&["env"]);
    assert!(stderr(&output).contains("nothing is ready in"));
}

/// A service that does not end when it is asked to, and a start that is killed meanwhile.
fn killed_with_a_deaf_service() -> Installation {
    let installation = Installation::new();
    installation.replace_service("orders", "trap '' TERM; while :; do sleep 1; done");
    let mut up = installation.start(&["up", "--free-ports"]);
    up.wait_for_stderr("starting postgres");
    let deadline = Instant::now() + PATIENCE;
    while !installation
        .children()
        .iter()
        .any(|(name, _)| name == "orders")
    {
        assert!(Instant::now() < deadline);
    }
    up.signal("-KILL");
    up.wait();
    installation
}

#[test]
fn down_waits_for_what_a_killed_command_left() {
    let installation = killed_with_a_deaf_service();
    let output = installation.output(&["down"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("what a killed run left"));
    assert_eq!(installation.processes(), Vec::<String>::new());
}

#[test]
fn ctrl_c_is_heard_while_a_start_waits_for_what_an_earlier_run_left() {
    let installation = killed_with_a_deaf_service();
    let mut up = installation.start(&["up", "--free-ports"]);
    up.wait_for_stderr("what an earlier run left");

    up.signal("-INT");

    let status = up.wait_within(Duration::from_secs(5));
    assert_eq!(status.unwrap().code(), Some(130));
    installation.wait_until_nothing_runs();
}

#[test]
fn a_second_ctrl_c_kills_what_does_not_stop() {
    let installation = Installation::new();
    installation.replace_service("orders", "trap '' TERM; while :; do sleep 1; done");
    let mut up = installation.start(&["up", "--free-ports"]);
    up.wait_for_stderr("starting orders");

    up.signal("-INT");
    up.signal("-TERM");

    let status = up.wait_within(Duration::from_secs(10));
    assert_eq!(status.unwrap().code(), Some(130));
    installation.wait_until_nothing_runs();
}

#[test]
fn what_an_earlier_version_or_a_broken_disk_left_in_the_folder_is_no_obstacle() {
    let installation = Installation::new();
    let folder = installation.run_dir();
    for rubbish in [
        "{}",
        "\u{0}\u{1}",
        r#"{"command":{"pid":1},"children":null}"#,
    ] {
        std::fs::create_dir_all(&folder).unwrap();
        for file in ["run.json", "lock", "control"] {
            let _ = std::fs::remove_dir(folder.join(file));
            std::fs::write(folder.join(file), rubbish).unwrap();
        }
        assert_eq!(installation.output(&["env"]).status.code(), Some(1));
        let output = installation.output(&["down"]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let _up = installation.up();
    installation.setting("GATEWAY_URL");
}

#[test]
fn who_does_not_read_what_is_said_stops_nothing() {
    let installation = Installation::new();
    let mut up = installation.up();
    let (orders, gateway) = (
        installation.setting("ORDERS_URL"),
        installation.setting("GATEWAY_URL"),
    );

    // More than a pipe holds, and its reader, that is this test, is busy elsewhere.
    get(&orders, "/talk");
    get(&orders, "/talk");

    assert!(get(&orders, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(&gateway, "/readyz").starts_with("HTTP/1.1 200"));
    up.signal("-TERM");
    let status = up.wait_within(PATIENCE);
    assert_eq!(status.unwrap().code(), Some(0));
    let log = std::fs::read_to_string(installation.run_dir().join("logs/orders.log")).unwrap();
    assert_eq!(log.matches("a line of talk").count(), 4000);
}

#[test]
fn no_file_holds_a_key_and_nobody_else_may_ask_for_it() {
    let installation = Installation::new();
    let mut command = installation.command(&["up", "--free-ports"]);
    command
        .env("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        .env("OPENAI_API_KEY", "sk-secret");
    let mut up = Up::start(&mut command);
    up.wait_for_stderr("ready: orders at http://");

    let told = installation.settings(&["classifier"]);
    assert!(
        told.contains(&"OPENAI_API_KEY=sk-secret".to_owned()),
        "{told:?}"
    );
    let found = std::process::Command::new("grep")
        .args(["-rl", "sk-secret"])
        .arg(installation.run_dir())
        .output();
    assert_eq!(stdout(&found.unwrap()), "");
    let mode = std::fs::metadata(installation.run_dir().join("control"));
    assert_eq!(mode.unwrap().permissions().mode() & 0o777, 0o700);
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
