use clap::CommandFactory;
use orders::config::Config;
use web::testing::Program;

const PROGRAM: Program = Program::new(
    env!("CARGO_BIN_EXE_orders"),
    &[("DATABASE_URL", "postgres://127.0.0.1/orders")],
);

#[test]
fn help_lists_every_setting_with_its_variable_and_meaning() {
    PROGRAM.documents(&Config::command());
}

#[test]
fn refuses_a_wrong_value_in_one_line_that_names_its_variable() {
    PROGRAM.refuses_each(&[
        ("LISTEN_ADDR", "nowhere"),
        ("DATABASE_MAX_CONNECTIONS", "0"),
        ("DATABASE_MAX_CONNECTIONS", "1"),
        ("DATABASE_MAX_CONNECTIONS", "4294967295"),
        ("ORDERS_RESEND_AFTER_SECONDS", "0"),
        ("ORDERS_RESEND_AFTER_SECONDS", "86401"),
        ("KAFKA_BROKERS", "kafka"),
        ("PUBSUB_EMULATOR_HOST", "http://localhost:8085"),
        ("MESSAGING_TRACE_RELATION", "friend"),
        ("MESSAGING_MAX_ATTEMPTS", "0"),
        ("MESSAGING_RETRY_DELAY_MS", "-1"),
        ("MESSAGING_CONCURRENCY", "many"),
        ("MESSAGING_SHUTDOWN_TIMEOUT_MS", "soon"),
        ("STARTUP_TIMEOUT_SECONDS", "soon"),
        ("STARTUP_TIMEOUT_SECONDS", "18446744073709551615"),
        ("FAULT_DROP_CONTEXT", "smtp"),
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
fn gives_up_in_one_line_on_a_database_that_does_not_answer() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unused = unused.local_addr().unwrap();
    let url = format!("postgres://jane:hunter2@{unused}/orders");
    let line = PROGRAM.refusal(&[
        ("DATABASE_URL", &url),
        ("LISTEN_ADDR", "127.0.0.1:0"),
        ("STARTUP_TIMEOUT_SECONDS", "1"),
    ]);
    let expected =
        format!("error: PostgreSQL at {unused}/orders (DATABASE_URL) was not ready within 1 s");
    assert!(line.starts_with(&expected), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(!line.contains("hunter2"), "{line}");
}
