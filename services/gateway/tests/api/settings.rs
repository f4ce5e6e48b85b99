use clap::CommandFactory;
use gateway::config::Config;
use web::testing::Program;

const PROGRAM: Program = Program::new(env!("CARGO_BIN_EXE_gateway"), &[]);

#[test]
fn help_lists_every_setting_with_its_variable_and_meaning() {
    PROGRAM.documents(&Config::command());
}

#[test]
fn refuses_a_wrong_value_in_one_line_that_names_its_variable() {
    PROGRAM.refuses_each(&[
        ("LISTEN_ADDR", "8080"),
        ("ORDERS_URL", "mailto:orders"),
        ("INVENTORY_URL", "inventory"),
        ("GATEWAY_TIMEOUT_MS", "0"),
        ("GATEWAY_TRUST_INCOMING_TRACE", "perhaps"),
        ("STARTUP_TIMEOUT_SECONDS", "soon"),
        ("STARTUP_TIMEOUT_SECONDS", "18446744073709551615"),
        ("FAULT_DROP_CONTEXT", "pigeon"),
    ]);
}

#[test]
fn gives_up_in_one_line_on_a_service_that_does_not_answer() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let line = PROGRAM.refusal(&[
        ("ORDERS_URL", &url),
        ("LISTEN_ADDR", "127.0.0.1:0"),
        ("STARTUP_TIMEOUT_SECONDS", "1"),
    ]);
    let expected = format!("error: orders at {url}/ (ORDERS_URL) was not ready within 1 s");
    assert!(line.starts_with(&expected), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}
