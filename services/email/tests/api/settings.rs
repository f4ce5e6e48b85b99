use std::process::{Command, Output};

use clap::CommandFactory;
use email::config::Config;

/// What the service cannot start without.
const DATABASE: (&str, &str) = ("DATABASE_URL", "postgres://127.0.0.1/email");

fn email(variables: &[(&str, &str)], args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_email"))
        .env_clear()
        .env("OTEL_SDK_DISABLED", "true")
        .envs(variables.iter().copied())
        .args(args)
        .output()
        .unwrap()
}

/// What the service says when it does not start.
fn refusal(variables: &[(&str, &str)]) -> String {
    let output = email(variables, &[]);
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    error.trim_end().to_owned()
}

#[test]
fn help_lists_every_setting_with_its_variable_and_meaning() {
    let help = String::from_utf8(email(&[], &["--help"]).stdout).unwrap();
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
        ("DATABASE_URL", "mysql:/secret"),
        ("DATABASE_MAX_CONNECTIONS", "0"),
        ("MESSAGING_TRACE_RELATION", "friend"),
        ("MESSAGING_MAX_ATTEMPTS", "0"),
        ("MESSAGING_RETRY_DELAY_MS", "-1"),
        ("MESSAGING_CONCURRENCY", "many"),
        ("STARTUP_TIMEOUT_SECONDS", "soon"),
        ("SMTP_URL", "localhost"),
    ] {
        let line = refusal(&[DATABASE, wrong]);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains(wrong.0), "{line}");
        assert!(!line.contains("secret"), "{line}");
    }
}

#[test]
fn refuses_an_address_of_the_mail_server_without_telling_its_password() {
    let wrong = ("SMTP_URL", "imap://jane:hunter2@127.0.0.1");
    let line = refusal(&[DATABASE, wrong]);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains("SMTP_URL"), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
}

#[test]
fn gives_up_in_one_line_on_a_mail_server_that_does_not_answer() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unused = unused.local_addr().unwrap();
    let line = refusal(&[
        DATABASE,
        ("SMTP_URL", &format!("smtp://{unused}")),
        ("LISTEN_ADDR", "127.0.0.1:0"),
        ("STARTUP_TIMEOUT_SECONDS", "1"),
    ]);
    let expected =
        format!("error: the mail server at {unused} (SMTP_URL) was not ready within 1 s");
    assert!(line.starts_with(&expected), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}
