use std::fs;

use crate::helpers::{Installation, get, is_running, stderr};

#[test]
fn a_stack_in_the_background_is_ready_and_lives_on_until_down() {
    let installation = Installation::new();
    let stack = installation.detached();

    assert!(
        stack.message.contains("ready: orders at http://"),
        "{}",
        stack.message
    );
    assert!(
        stack.message.contains("`orderflow down` stops everything"),
        "{}",
        stack.message
    );
    let ready = get(&installation.setting("GATEWAY_URL"), "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    let mut processes = installation.children();
    assert_eq!(processes.len(), 7, "{processes:?}");
    processes.push(("orderflow".to_owned(), installation.command_pid()));

    let output = installation.output(&["down"]);

    assert!(output.status.success(), "{}", stderr(&output));
    for (name, pid) in processes {
        assert!(!is_running(pid), "{name} still runs");
    }
    assert_eq!(installation.processes(), Vec::<String>::new());
}

#[test]
fn a_start_in_the_background_that_fails_says_why_and_leaves_nothing() {
    let installation = Installation::new();
    installation.break_service("orders", "no database");

    let output = installation.output(&["up", "--free-ports", "--detach"]);

    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains("orders: exit status: 3"), "{message}");
    assert!(message.contains("orders │ no database"), "{message}");
    assert_eq!(installation.processes(), Vec::<String>::new());
}

#[test]
fn ctrl_c_before_everything_is_ready_stops_a_start_in_the_background() {
    let installation = Installation::new();
    let mut up = installation.start(&["up", "--free-ports", "--detach"]);
    up.wait_for_stderr("starting postgres");

    up.signal("-INT");

    assert_eq!(up.wait().code(), Some(130));
    assert_eq!(installation.processes(), Vec::<String>::new());
}

#[test]
fn a_second_ctrl_c_kills_what_does_not_stop_in_the_background() {
    let installation = Installation::new();
    installation.replace_service("orders", "trap '' TERM; exec sleep 600");
    let mut up = installation.start(&["up", "--free-ports", "--detach"]);
    up.wait_for_stderr("starting email");
    let children = installation.children();

    up.signal("-INT");
    up.signal("-TERM");

    assert_eq!(up.wait().code(), Some(130));
    let log = fs::read_to_string(installation.run_dir().join("logs/orders.log")).unwrap();
    assert!(!log.contains("did not stop"), "it was waited for: {log}");
    for (name, pid) in children {
        assert!(!is_running(pid), "{name} still runs");
    }
}

#[test]
fn what_an_earlier_start_in_the_background_said_is_forgotten() {
    let installation = Installation::new();
    drop(installation.detached());
    let stack = installation.detached();

    let log = fs::read_to_string(installation.run_dir().join("up.log")).unwrap();
    assert_eq!(log.matches("starting postgres").count(), 1, "{log}");

    let again = installation.output(&["up", "--free-ports", "--detach"]);
    assert!(stderr(&again).contains("is in use"), "{}", stderr(&again));
    let kept = fs::read_to_string(installation.run_dir().join("up.log")).unwrap();
    assert!(kept.starts_with(&log), "{kept}");
    drop(stack);
}
