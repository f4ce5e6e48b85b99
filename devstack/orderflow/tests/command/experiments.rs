use crate::helpers::{Installation, Up, get, is_running, stderr, stdout};

fn pid_of(installation: &Installation, name: &str) -> Option<u32> {
    let children = installation.children();
    let child = children.into_iter().find(|(child, _)| child == name);
    child.map(|(_, pid)| pid)
}

fn kill(pid: u32) {
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
}

/// The line of one part.
fn status(installation: &Installation, part: &str) -> String {
    let output = stdout(&installation.output(&["status"]));
    let line = output.lines().find(|line| line.starts_with(part));
    line.unwrap_or_else(|| panic!("{part} is not in {output}"))
        .to_owned()
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Reads the same line until it says what is expected, which must not take for ever.
fn wait_for_status(installation: &Installation, part: &str, expected: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let line = status(installation, part);
        if line.contains(expected) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{line}");
    }
}

#[test]
fn a_service_that_dies_is_named_with_its_last_lines_and_started_again() {
    let installation = Installation::new();
    let mut up = installation.up();
    let others: Vec<_> = installation.children();
    let before = pid_of(&installation, "orders").unwrap();

    get(&installation.setting("ORDERS_URL"), "/exit");

    up.wait_for_stderr("orders died (exit status: 3): it is started again in 1 s");
    up.wait_for_stderr("orders │ these were my last words");
    up.wait_for_stderr("ready    orders");
    assert!(get(&installation.setting("ORDERS_URL"), "/readyz").starts_with("HTTP/1.1 200"));
    let after = pid_of(&installation, "orders").unwrap();
    assert_ne!(before, after);
    for (name, pid) in others.iter().filter(|(name, _)| name != "orders") {
        assert!(is_running(*pid), "{name} was disturbed");
    }
    wait_for_status(
        &installation,
        "orders",
        "running   ready; started again once; last end: exit status: 3",
    );
    let log = std::fs::read_to_string(installation.run_dir().join("logs/orders.log")).unwrap();
    assert!(log.contains("these were my last words"), "{log}");
    assert_eq!(log.matches("listening").count(), 2, "{log}");
}

#[test]
fn a_service_that_is_killed_is_named_with_the_signal() {
    let installation = Installation::new();
    let mut up = installation.up();
    kill(pid_of(&installation, "classifier").unwrap());
    up.wait_for_stderr("classifier died (signal: 9 (SIGKILL)): it is started again in 1 s");
    up.wait_for_stderr("ready    classifier");
}

#[test]
fn a_stopped_service_stays_stopped_until_it_is_started() {
    let installation = Installation::new();
    let _up = installation.up();
    let gateway = installation.setting("GATEWAY_URL");
    let pid = pid_of(&installation, "gateway").unwrap();

    let stopped = installation.output(&["stop", "gateway"]);
    assert!(stopped.status.success(), "{}", stderr(&stopped));
    let told = "gateway is stopped; `orderflow start gateway` starts it again\n";
    assert_eq!(stdout(&stopped), told);
    assert!(!is_running(pid));
    assert_eq!(pid_of(&installation, "gateway"), None);
    assert_eq!(
        words(&status(&installation, "gateway")),
        ["gateway", "stopped"]
    );
    assert_eq!(installation.output(&["status"]).status.code(), Some(1));

    let started = installation.output(&["start", "gateway"]);
    assert_eq!(stdout(&started), "gateway runs, and is ready\n");
    assert!(get(&gateway, "/readyz").starts_with("HTTP/1.1 200"));
    let again = installation.output(&["start", "gateway"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(stderr(&again), "error: gateway runs already\n");
    assert_eq!(installation.output(&["status"]).status.code(), Some(0));
}

#[test]
fn a_paused_service_goes_on_where_it_was() {
    let installation = Installation::new();
    let _up = installation.up();
    let pid = pid_of(&installation, "gateway");

    let paused = installation.output(&["pause", "gateway"]);
    assert!(paused.status.success(), "{}", stderr(&paused));
    assert_eq!(
        words(&status(&installation, "gateway")),
        ["gateway", "paused"]
    );
    assert!(installation.output(&["resume", "gateway"]).status.success());

    assert!(get(&installation.setting("GATEWAY_URL"), "/readyz").starts_with("HTTP/1.1 200"));
    assert_eq!(pid_of(&installation, "gateway"), pid);
}

#[test]
fn postgresql_is_started_again_on_the_same_port_with_the_same_data() {
    let installation = Installation::new();
    let mut up = installation.up();
    let data = installation.run_dir().join("postgres/data/PG_VERSION");
    let created = || std::fs::metadata(&data).unwrap().modified().unwrap();
    let (before, url) = (created(), installation.setting("ORDERS_DATABASE_URL"));

    kill(pid_of(&installation, "postgres").unwrap());

    up.wait_for_stderr("postgres died (signal: 9 (SIGKILL)): it is started again in 1 s");
    up.wait_for_stderr("ready    postgres");
    assert_eq!(created(), before);
    let (_, port) = url.rsplit_once(':').unwrap();
    let (port, _) = port.split_once('/').unwrap();
    std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
}

#[test]
fn the_mock_kafka_ends_the_stack_and_says_why() {
    let installation = Installation::new();
    let mut up = installation.up();
    let children = installation.children();

    kill(pid_of(&installation, "kafka").unwrap());

    assert_eq!(up.wait().code(), Some(1));
    let message = up.rest_of_stderr();
    assert!(
        message.contains("kafka: signal: 9 (SIGKILL); the mock cluster picks its own port"),
        "{message}"
    );
    for (name, pid) in children {
        assert!(!is_running(pid), "{name} still runs");
    }
}

#[test]
fn paused_parts_end_with_the_stack() {
    let installation = Installation::new();
    let mut up = installation.up();
    let children = installation.children();
    for part in ["orders", "postgres", "kafka"] {
        let output = installation.output(&["pause", part]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(words(&status(&installation, part)), [part, "paused"]);
    }

    up.signal("-TERM");

    assert_eq!(up.wait().code(), Some(0), "{}", up.rest_of_stderr());
    for (name, pid) in children {
        assert!(!is_running(pid), "{name} still runs");
    }
}

#[test]
fn paused_parts_of_a_killed_command_go_on_and_end() {
    let installation = Installation::new();
    let mut up = installation.up();
    for part in ["orders", "postgres", "kafka"] {
        assert!(installation.output(&["pause", part]).status.success());
    }

    up.signal("-KILL");
    up.wait();

    installation.wait_until_nothing_runs();
}

#[test]
fn a_part_inside_the_command_is_stopped_and_started_and_says_what_is_lost() {
    let installation = Installation::new();
    let _up = installation.up();
    let mail = installation.setting("MAIL_URL");

    let stopped = installation.output(&["stop", "mail"]);
    assert!(stdout(&stopped).contains("the mails that it showed are lost"));
    assert!(std::net::TcpStream::connect(mail.trim_start_matches("http://")).is_err());
    let paused = installation.output(&["pause", "traces"]);
    assert_eq!(paused.status.code(), Some(1));
    assert!(stderr(&paused).contains("lives inside the command and cannot be paused"));

    assert!(installation.output(&["start", "mail"]).status.success());
    assert!(get(&mail, "/email").ends_with("[]"));
}

#[test]
fn faults_of_the_stand_ins_are_switched_on_by_their_settings() {
    let installation = Installation::new();
    let mut command = installation.command(&["up", "--free-ports"]);
    command
        .env("FAULT_MAIL", "greylist")
        .env("FAULT_EMBEDDINGS", "unavailable:2");
    let mut up = Up::start(&mut command);
    up.wait_for_stderr("ready: orders at http://");

    let mail = get(&installation.setting("MAIL_URL"), "/faults");
    assert!(mail.contains("greylist"), "{mail}");
    let embeddings = installation.setting("OPENAI_BASE_URL");
    let told = get(embeddings.trim_end_matches("/v1"), "/faults");
    assert!(told.contains("unavailable:2"), "{told}");
}

#[test]
fn with_nothing_running_each_says_what_starts_it() {
    let installation = Installation::new();
    for arguments in [&["status"][..], &["stop", "orders"], &["pause", "kafka"]] {
        let output = installation.output(arguments);
        assert_eq!(output.status.code(), Some(1));
        let message = stderr(&output);
        assert!(message.contains("nothing is running in"), "{message}");
        assert!(message.contains("`orderflow up`"), "{message}");
    }
}

#[test]
fn a_fault_that_is_switched_on_is_told_at_the_start_and_whenever_it_matters() {
    let installation = Installation::new();
    let mut command = installation.command(&["up", "--free-ports"]);
    let mut up = Up::start(command.env("FAULT_DROP_CONTEXT", "sqs"));
    let notice = "a fault is switched on: FAULT_DROP_CONTEXT=sqs";
    up.wait_for_stderr(notice);
    up.wait_for_stderr("ready: orders at http://");

    let told = stdout(&installation.output(&["status"]));
    assert!(told.contains(notice), "{told}");
    let told = stderr(&installation.output(&["traffic", "--orders", "1"]));
    assert!(told.contains(notice), "{told}");
    let told = stderr(&installation.output(&["trace", "0af7651916cd43dd8448eb211c80319c"]));
    assert!(told.contains(notice), "{told}");
}
