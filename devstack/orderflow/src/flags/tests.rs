use clap::Parser;

use super::*;
use crate::service::Service;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
}

fn parse(arguments: &[&str]) -> Flags {
    Arguments::parse_from([&["orderflow"], arguments].concat()).flags
}

/// An embedded stack at the usual ports, with what the command line says.
pub(crate) fn embedded(arguments: &[&str]) -> Addresses {
    let parts = PARTS.iter().filter(|part| part.embedded.is_some());
    let parts: Vec<_> = parts.collect();
    parse(arguments).addresses(&parts, false).unwrap()
}

fn service(name: &str) -> &'static Service {
    Service::find(name).unwrap()
}

fn lines(settings: &[Setting]) -> Vec<String> {
    settings.iter().map(ToString::to_string).collect()
}

/// Whether all of these lines are there.
fn has(settings: &[Setting], expected: &[&str]) -> bool {
    let lines = lines(settings);
    expected
        .iter()
        .all(|line| lines.contains(&(*line).to_owned()))
}

#[test]
fn every_usual_port_is_a_port_of_its_own() {
    let numbers: std::collections::HashSet<_> = table::ports().map(|port| port.usual).collect();
    assert_eq!(numbers.len(), table::ports().count());
}

#[test]
fn no_part_keeps_its_data_where_the_logs_are() {
    assert!(PARTS.iter().all(|part| part.name != "logs"));
}

#[test]
fn everything_in_braces_is_a_port_of_the_table() {
    let ports = parse(&[]).ports;
    for part in &PARTS {
        let server = part.native.iter();
        let server = server.flat_map(|server| {
            let environment = server.environment.iter().map(|(_, value)| *value);
            let first = server.first.map(|(_, command)| command);
            let said = [server.command, server.ready].into_iter();
            said.chain(first).chain(environment)
        });
        let variables = part.variables.iter().map(|variable| variable.here);
        for template in server.chain(variables).chain([part.address]) {
            let filled = ["{installed}", "{data}", "{jars}"]
                .iter()
                .fold(ports.fill(template), |text, known| text.replace(known, ""));
            assert!(!filled.contains('{'), "{}: {filled}", part.name);
        }
    }
}

#[test]
fn a_service_is_told_where_it_listens_and_whom_it_talks_to_and_nothing_else() {
    assert_eq!(
        lines(&embedded(&["--kafka-port=40001"]).of_service(service("orders"))),
        [
            "LISTEN_ADDR=127.0.0.1:8081",
            "DATABASE_URL=postgres://postgres@127.0.0.1:54320/orders",
            "KAFKA_BROKERS=127.0.0.1:40001",
            "PUBSUB_EMULATOR_HOST=127.0.0.1:8085",
            "PUBSUB_PROJECT_ID=orderflow",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317",
            "OTEL_BSP_SCHEDULE_DELAY=100",
        ]
    );
}

#[test]
fn the_shared_settings_name_each_database_apart() {
    let shared = embedded(&[]).shared();
    let expected = [
        "EMAIL_DATABASE_URL=postgres://postgres@127.0.0.1:54320/email",
        "GATEWAY_URL=http://127.0.0.1:8080",
        "OPENAI_BASE_URL=http://127.0.0.1:8090/v1",
    ];
    assert!(has(&shared, &expected), "{shared:?}");
}

#[test]
fn no_setting_appears_twice() {
    let addresses = embedded(&[]);
    let everything = SERVICES.iter().map(|service| addresses.of_service(service));
    for settings in everything.chain([addresses.shared()]) {
        let names: std::collections::HashSet<_> =
            settings.iter().map(|setting| &setting.name).collect();
        assert_eq!(names.len(), settings.len(), "{settings:?}");
    }
}

#[test]
fn a_real_key_reaches_the_classifier_only_with_a_server_of_its_own() {
    let key = "--openai-api-key=real";
    let built_in = embedded(&[key]).of_service(service("classifier"));
    assert!(!has(&built_in, &["OPENAI_API_KEY=real"]));

    let url = "--openai-base-url=https://models.example/v1";
    let hosted = embedded(&[key, url]).of_service(service("classifier"));
    let expected = [
        "OPENAI_API_KEY=real",
        "OPENAI_BASE_URL=https://models.example/v1",
    ];
    assert!(has(&hosted, &expected), "{hosted:?}");
    let model = |setting: &Setting| setting.name == "OPENAI_EMBEDDINGS_MODEL";
    assert!(!hosted.iter().any(model), "{hosted:?}");
}

#[test]
fn telemetry_goes_where_and_when_the_user_said() {
    let said = ["--otlp-endpoint=http://collector:4317", "--span-delay=5000"];
    let settings = embedded(&said).of_service(service("email"));
    let expected = [
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317",
        "OTEL_BSP_SCHEDULE_DELAY=5000",
    ];
    assert!(has(&settings, &expected), "{settings:?}");
}

#[test]
fn an_endpoint_that_is_the_stack_s_own_store_is_none_of_the_user_s() {
    let endpoint = |arguments: &[&str]| {
        let addresses = embedded(arguments);
        addresses.value(OTLP_ENDPOINT).to_owned()
    };
    let (grpc, http) = ("http://127.0.0.1:4317", "http://127.0.0.1:4318");
    let protocol = "--otlp-protocol=http/protobuf";
    assert_eq!(endpoint(&[protocol]), http);
    assert_eq!(
        endpoint(&[protocol, "--otlp-endpoint=http://localhost:4317/"]),
        http
    );
    assert_eq!(endpoint(&["--otlp-endpoint=https://127.0.0.1:4318"]), grpc);
    let other = "http://127.0.0.1:4327";
    assert_eq!(endpoint(&["--otlp-endpoint=http://127.0.0.1:4327"]), other);
    let moved = [
        "--otlp-endpoint=http://127.0.0.1:4317",
        "--otlp-grpc-port=4327",
    ];
    assert_eq!(endpoint(&moved), grpc);
}

#[test]
fn natively_logs_go_to_their_own_store_unless_the_user_names_another_for_all_telemetry() {
    let natively = |arguments: &[&str]| {
        let all: Vec<_> = PARTS.iter().collect();
        let addresses = parse(arguments).addresses(&all, false).unwrap();
        addresses.of_service(service("orders"))
    };
    let told = natively(&["--logs-port=9999"]);
    let expected = [
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://127.0.0.1:9999/insert/opentelemetry/v1/logs",
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf",
    ];
    assert!(has(&told, &expected), "{told:?}");

    let told = natively(&["--otlp-endpoint=http://collector:4317"]);
    let of_logs = |setting: &Setting| setting.name.contains("LOGS");
    assert!(!told.iter().any(of_logs), "{told:?}");
}

#[test]
fn a_stand_in_for_a_real_server_is_told_with_its_reason_in_one_line() {
    let mut addresses = embedded(&[]);
    let why = "it needs gcloud\n  or more".to_owned();
    addresses.stand_ins = [("pubsub".to_owned(), why)].into();
    let shared = addresses.shared();
    let told = "ORDERFLOW_STAND_IN_PUBSUB='it needs gcloud'";
    assert!(has(&shared, &[told]), "{shared:?}");
}

const OUTSIDE: [&str; 8] = [
    "--postgres-url=postgresql://me:secret@db:5432/?sslmode=disable",
    "--kafka-brokers=kafka:9092",
    "--aws-endpoint-url-sqs=http://sqs:9324",
    "--pubsub-emulator-host=pubsub:8085",
    "--smtp-url=smtp://mail:1025",
    "--mail-url=http://mail:1080/",
    "--jaeger-url=http://jaeger:16686",
    "--otlp-endpoint=http://collector:4317",
];

fn outside(arguments: &[&str]) -> anyhow::Result<Addresses> {
    let parts: Vec<_> = PARTS.iter().filter(|part| part.is_ours_outside).collect();
    parse(arguments).addresses(&parts, true)
}

#[test]
fn servers_outside_are_told_as_they_were_named_with_a_database_for_each_service() {
    let shared = outside(&OUTSIDE).unwrap().shared();
    let expected = [
        "ORDERS_DATABASE_URL='postgresql://me:secret@db:5432/orders?sslmode=disable'",
        "KAFKA_BROKERS=kafka:9092",
        "AWS_REGION=us-east-1",
        "PUBSUB_PROJECT_ID=orderflow",
        "MAIL_URL=http://mail:1080",
        "OPENAI_BASE_URL=http://127.0.0.1:8090/v1",
        "OTEL_BSP_SCHEDULE_DELAY=100",
    ];
    assert!(has(&shared, &expected), "{shared:?}");
}

#[test]
fn every_setting_that_is_missing_is_named_in_one_line() {
    let some = [&OUTSIDE[..1], &OUTSIDE[3..7], &["--kafka-brokers="]].concat();
    let message = outside(&some).unwrap_err().to_string();
    assert!(
        message.ends_with("set KAFKA_BROKERS, AWS_ENDPOINT_URL_SQS, OTEL_EXPORTER_OTLP_ENDPOINT"),
        "{message}"
    );
}

#[test]
fn an_address_that_is_not_postgresql_is_refused() {
    let mut all = OUTSIDE;
    all[0] = "--postgres-url=http://db";
    let message = outside(&all).unwrap_err().to_string();
    assert!(message.contains("postgres://"), "{message}");
}
