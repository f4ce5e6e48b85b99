use clap::CommandFactory;
use classifier::config::Config;
use web::testing::Program;

const PROGRAM: Program = Program::new(env!("CARGO_BIN_EXE_classifier"), &[]);

#[test]
fn help_lists_every_setting_with_its_variable_and_meaning() {
    PROGRAM.documents(&Config::command());
}

#[test]
fn refuses_a_wrong_value_in_one_line_that_names_its_variable() {
    PROGRAM.refuses_each(&[
        ("LISTEN_ADDR", "nowhere"),
        ("INVENTORY_URL", "inventory"),
        ("OPENAI_BASE_URL", "localhost:8090/v1"),
        ("KAFKA_BROKERS", "kafka"),
        ("AWS_ENDPOINT_URL_SQS", "localhost:9324"),
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
fn gives_up_in_one_line_on_a_broker_that_does_not_answer() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unused = unused.local_addr().unwrap().to_string();
    let line = PROGRAM.refusal(&[
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
