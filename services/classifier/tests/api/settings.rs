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
        ("FAULT_DROP_CONTEXT", "smtp"),
    ]);
}
