use std::process::{Command, Output};

use clap::CommandFactory;
use gateway::config::Config;

fn gateway(variables: &[(&str, &str)], args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gateway"))
        .env_clear()
        .env("OTEL_SDK_DISABLED", "true")
        .envs(variables.iter().copied())
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn lists_every_setting_with_variable_default_and_meaning() {
    let help = String::from_utf8(gateway(&[], &["--help"]).stdout).unwrap();
    // Long lines are wrapped.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [
        "[env: LISTEN_ADDR=] [default: 127.0.0.1:8080]",
        "[env: ORDERS_URL=] [default: http://127.0.0.1:8081]",
        "[env: INVENTORY_URL=] [default: http://127.0.0.1:8082]",
        "[env: GATEWAY_TIMEOUT_MS=] [default: 10000]",
        "[env: GATEWAY_TRUST_INCOMING_TRACE=] [default: false]",
        "[env: FAULT_DROP_CONTEXT=]",
    ] {
        assert!(help.contains(text), "{text} is missing in\n{help}");
    }
}

#[test]
fn every_setting_has_a_variable_and_a_meaning() {
    for argument in Config::command().get_arguments() {
        assert!(argument.get_help().is_some(), "{argument} has no meaning");
        assert!(argument.get_env().is_some(), "{argument} has no variable");
    }
}

#[test]
fn refuses_a_wrong_value_in_one_line() {
    for (variable, value) in [
        ("LISTEN_ADDR", "8080"),
        ("ORDERS_URL", "mailto:orders"),
        ("INVENTORY_URL", "inventory"),
        ("GATEWAY_TIMEOUT_MS", "0"),
        ("GATEWAY_TRUST_INCOMING_TRACE", "perhaps"),
        ("FAULT_DROP_CONTEXT", "pigeon"),
    ] {
        let output = gateway(&[(variable, value)], &[]);
        assert_eq!(output.status.code(), Some(2), "{variable}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        assert!(error.contains(variable) && error.contains(value), "{error}");
    }
}
