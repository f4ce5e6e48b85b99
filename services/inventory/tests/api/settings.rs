use clap::CommandFactory;
use inventory::config::Config;
use web::testing::Program;

const PROGRAM: Program = Program::new(
    env!("CARGO_BIN_EXE_inventory"),
    &[("DATABASE_URL", "postgres://127.0.0.1/inventory")],
);

#[test]
fn help_lists_every_setting_with_its_variable_and_meaning() {
    PROGRAM.documents(&Config::command());
}

#[test]
fn refuses_a_wrong_value_in_one_line_that_names_its_variable() {
    PROGRAM.refuses_each(&[
        ("LISTEN_ADDR", "nowhere"),
        ("DATABASE_MAX_CONNECTIONS", "1"),
        ("DATABASE_MAX_CONNECTIONS", "4294967295"),
        ("KAFKA_BROKERS", "kafka"),
        ("MESSAGING_CONCURRENCY", "0"),
        ("MESSAGING_TRACE_RELATION", "sibling"),
        ("MESSAGING_MAX_ATTEMPTS", "0"),
        ("STARTUP_TIMEOUT_SECONDS", "soon"),
        ("STARTUP_TIMEOUT_SECONDS", "18446744073709551615"),
        ("FAULT_INVENTORY_DELAY_MS", "soon"),
        ("FAULT_INVENTORY_DELAY_MS", "60001"),
    ]);
}

#[test]
fn does_not_tell_the_address_of_a_database_back() {
    let line = PROGRAM.refusal(&[("DATABASE_URL", "mysql:/secret")]);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains("DATABASE_URL"), "{line}");
    assert!(!line.contains("secret"), "{line}");
}

#[test]
fn counts_an_empty_variable_as_unset() {
    let line = PROGRAM.refusal(&[("DATABASE_URL", ""), ("LISTEN_ADDR", "")]);
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
    let line = PROGRAM.refusal(&[
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
    let line = PROGRAM.refusal(&[("LISTEN_ADDR", &address)]);
    assert!(
        line.starts_with(&format!(
            "error: cannot listen on {address} (LISTEN_ADDR): "
        )),
        "{line}"
    );
}
