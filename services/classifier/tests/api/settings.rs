use std::process::{Command, Output};

use clap::CommandFactory;
use classifier::config::Config;

fn classifier(variables: &[(&str, &str)], args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_classifier"))
        .env_clear()
        .env("OTEL_SDK_DISABLED", "true")
        .envs(variables.iter().copied())
        .args(args)
        .output()
        .unwrap()
}

/// What the service says when it does not start.
fn refusal(variables: &[(&str, &str)]) -> String {
    let output = classifier(variables, &[]);
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    error.trim_end().to_owned()
}

#[test]
fn help_lists_every_setting_with_its_variable_and_meaning() {
    let help = String::from_utf8(classifier(&[], &["--help"]).stdout).unwrap();
    for argument in Config::command().get_arguments() {
        assert!(argument.get_help().is_some(), "{argument} has no meaning");
        let variable = argument.get_env().expect("a variable").to_str().unwrap();
        assert!(help.contains(&format!("[env: {variable}")), "{variable}");
    }
    assert!(help.contains("OTEL_EXPORTER_OTLP_ENDPOINT"));
}

#[test]
fn refuses_a_wrong_value_in_one_line_that_names_its_variable() {
    for wrong in [
        ("LISTEN_ADDR", "nowhere"),
        ("INVENTORY_URL", "inventory"),
        ("OPENAI_BASE_URL", "localhost:8090/v1"),
        ("MESSAGING_TRACE_RELATION", "friend"),
        ("MESSAGING_MAX_ATTEMPTS", "0"),
        ("MESSAGING_RETRY_DELAY_MS", "-1"),
        ("MESSAGING_CONCURRENCY", "many"),
        ("STARTUP_TIMEOUT_SECONDS", "soon"),
        ("FAULT_DROP_CONTEXT", "smtp"),
    ] {
        let line = refusal(&[wrong]);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains(wrong.0), "{line}");
    }
}

#[test]
fn gives_up_in_one_line_on_a_broker_that_does_not_answer() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unused = unused.local_addr().unwrap().to_string();
    let line = refusal(&[
        ("KAFKA_BROKERS", &unused),
        ("LISTEN_ADDR", "127.0.0.1:0"),
        ("STARTUP_TIMEOUT_SECONDS", "1"),
    ]);
    let expected = format!("error: Kafka at {unused} (KAFKA_BROKERS) was not ready within 1 s");
    assert!(
        line.lines().last().unwrap().starts_with(&expected),
        "{line}"
    );
}
