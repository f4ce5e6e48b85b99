use std::net::TcpListener;

use crate::helpers::{Installation, get, stderr};

#[test]
fn a_second_start_in_the_same_folder_says_who_is_there_and_disturbs_nobody() {
    let installation = Installation::new();
    let up = installation.up();

    let output = installation.output(&["up", "--free-ports"]);

    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(
        message.contains(&format!("orderflow (pid {}) is running there", up.pid())),
        "{message}"
    );
    assert!(message.contains(" down`"), "{message}");
    assert!(get(&installation.setting("GATEWAY_URL"), "/readyz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_port_in_use_is_one_line_that_names_it_its_part_and_its_setting() {
    let installation = Installation::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = installation.command(&["up"]);
    for name in [
        "ORDERS",
        "INVENTORY",
        "CLASSIFIER",
        "EMAIL",
        "SQS",
        "PUBSUB",
        "SMTP",
        "MAIL",
    ] {
        command.env(format!("{name}_PORT"), "0");
    }
    for name in ["EMBEDDINGS", "OTLP_GRPC", "OTLP_HTTP", "TRACES", "POSTGRES"] {
        command.env(format!("{name}_PORT"), "0");
    }

    let output = command.env("GATEWAY_PORT", &port).output().unwrap();

    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(
        message.contains(&format!("port {port} is taken")),
        "{message}"
    );
    assert!(
        message.contains("the gateway needs it; set GATEWAY_PORT to another"),
        "{message}"
    );
    assert_eq!(installation.processes(), Vec::<String>::new());
}

#[test]
fn a_service_that_is_not_built_is_named_with_the_command_that_builds_it() {
    let installation = Installation::new();
    installation.remove_service("email");

    let output = installation.output(&["up", "--free-ports"]);

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "error: not built: email; run `cargo build --workspace` first\n"
    );
}
