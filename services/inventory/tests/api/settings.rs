use std::process::{Command, Output};

fn inventory(variables: &[(&str, &str)], args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inventory"))
        .env_clear()
        .env("OTEL_SDK_DISABLED", "true")
        .envs(variables.iter().copied())
        .args(args)
        .output()
        .unwrap()
}

/// The only line that a start that failed may end with.
fn refusal(variables: &[(&str, &str)]) -> String {
    let output = inventory(variables, &[]);
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    error.trim_end().to_owned()
}

#[test]
fn lists_every_setting_with_variable_default_and_meaning() {
    let help = String::from_utf8(inventory(&[], &["--help"]).stdout).unwrap();
    // Long lines are wrapped.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [
        "[env: LISTEN_ADDR=]",
        "[default: 127.0.0.1:8082]",
        "[env: DATABASE_URL]",
        "[env: DATABASE_MAX_CONNECTIONS=]",
        "[env: STARTUP_TIMEOUT_SECONDS=]",
        "[default: 30]",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ] {
        assert!(help.contains(text), "{text} is missing in\n{help}");
    }
}

#[test]
fn refuses_a_wrong_value_in_one_line() {
    let database = ("DATABASE_URL", "postgres://127.0.0.1/inventory");
    for (variable, value) in [
        ("LISTEN_ADDR", "nowhere"),
        ("STARTUP_TIMEOUT_SECONDS", "soon"),
        ("DATABASE_MAX_CONNECTIONS", "0"),
        ("DATABASE_URL", "mysql:/secret"),
    ] {
        let line = refusal(&[database, (variable, value)]);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains(variable), "{line}");
        assert!(!line.contains("secret"), "{line}");
    }
}

#[test]
fn counts_an_empty_variable_as_unset() {
    let line = refusal(&[("DATABASE_URL", ""), ("LISTEN_ADDR", "")]);
    assert_eq!(
        line,
        "error: the following required arguments were not provided: --database-url <DATABASE_URL>"
    );
}

#[test]
fn gives_up_on_a_database_that_does_not_answer() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let line = refusal(&[
        (
            "DATABASE_URL",
            &format!("postgres://jane:hunter2@{unused}/inventory"),
        ),
        ("LISTEN_ADDR", "127.0.0.1:0"),
        ("STARTUP_TIMEOUT_SECONDS", "1"),
    ]);
    let expected = format!(
        "error: PostgreSQL at {unused}/inventory (DATABASE_URL) was not ready within 1 s (STARTUP_TIMEOUT_SECONDS): "
    );
    assert!(line.starts_with(&expected), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
}

#[test]
fn names_the_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = refusal(&[
        ("DATABASE_URL", "postgres://127.0.0.1/inventory"),
        ("LISTEN_ADDR", &address),
    ]);
    assert!(
        line.starts_with(&format!(
            "error: cannot listen on {address} (LISTEN_ADDR): "
        )),
        "{line}"
    );
}
