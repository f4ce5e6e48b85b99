use std::collections::BTreeSet;

use tempfile::TempDir;

use super::*;

const PAGE: &str = include_str!("../../../../docs/telemetry.md");

/// What the specification of SDK 1.58 and of the OTLP exporter names, and the two of the conventions that are followed.
const GENERAL: [&str; 39] = [
    "OTEL_SDK_DISABLED",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
    "OTEL_LOG_LEVEL",
    "OTEL_PROPAGATORS",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BLRP_SCHEDULE_DELAY",
    "OTEL_BLRP_EXPORT_TIMEOUT",
    "OTEL_BLRP_MAX_QUEUE_SIZE",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
    "OTEL_EXPORTER_ZIPKIN_TIMEOUT",
    "OTEL_EXPORTER_ZIPKIN_PROTOCOL",
    "OTEL_EXPORTER_PROMETHEUS_HOST",
    "OTEL_EXPORTER_PROMETHEUS_PORT",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_LOGS_EXPORTER",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_METRIC_EXPORT_TIMEOUT",
    "OTEL_EXPERIMENTAL_CONFIG_FILE",
    "OTEL_CONFIG_FILE",
    "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
];

const OF_OTLP: [&str; 9] = [
    "ENDPOINT",
    "INSECURE",
    "CERTIFICATE",
    "CLIENT_KEY",
    "CLIENT_CERTIFICATE",
    "HEADERS",
    "COMPRESSION",
    "TIMEOUT",
    "PROTOCOL",
];

fn specified() -> BTreeSet<String> {
    let of_otlp = ["", "TRACES_", "METRICS_", "LOGS_"]
        .iter()
        .flat_map(|signal| {
            let names = OF_OTLP.iter();
            names.map(move |name| format!("OTEL_EXPORTER_OTLP_{signal}{name}"))
        });
    let more = [
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "OTEL_EXPORTER_OTLP_SPAN_INSECURE",
        "OTEL_EXPORTER_OTLP_METRIC_INSECURE",
        "OTEL_INSTRUMENTATION_SANITIZATION_URL_EXPERIMENTAL_SENSITIVE_QUERY_PARAMETERS",
    ];
    let general = GENERAL.iter().chain(&more).map(|&name| name.to_owned());
    general.chain(of_otlp).collect()
}

/// A row of the page's table: a variable, and values by what becomes of them.
struct Row {
    names: Vec<String>,
    followed: Vec<String>,
    warned: Vec<String>,
    refused: Vec<String>,
}

fn rows() -> Vec<Row> {
    let table = PAGE.split("## The `OTEL_*` variables").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let lines = table.lines().filter(|line| line.starts_with("| `"));
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    let [_, names, _, followed, warned, refused, _] = cells[..] else {
        panic!("a row has five cells: {line}");
    };
    Row {
        names: quoted(names)
            .iter()
            .flat_map(|name| signals(name))
            .collect(),
        followed: quoted(followed),
        warned: quoted(warned),
        refused: quoted(refused),
    }
}

fn quoted(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// `*` stands for each signal that is exported, and for none.
fn signals(name: &str) -> Vec<String> {
    match name.split_once('*') {
        Some((begin, end)) => ["", "TRACES_", "LOGS_"]
            .map(|signal| format!("{begin}{signal}{end}"))
            .to_vec(),
        None => vec![name.to_owned()],
    }
}

/// An example is a value, or the value and other variables that it takes: `0.5 OTEL_TRACES_SAMPLER=traceidratio`.
fn variables(name: &str, example: &str) -> Vec<(String, String)> {
    let (value, others) = match example.split_once(" OTEL_") {
        Some((value, others)) => (value, format!("OTEL_{others}")),
        None => (example, String::new()),
    };
    let signal = ["TRACES_", "LOGS_"]
        .into_iter()
        .find(|signal| name.contains(signal));
    let others = others.replace('*', signal.unwrap_or_default());
    let others = others.split_whitespace();
    let others = others.map(|pair| pair.split_once('=').unwrap());
    let own = [(name, value)];
    let all = own.into_iter().chain(others);
    all.map(|(name, value)| (name.to_owned(), with_files(value)))
        .collect()
}

/// The examples' files are made where the tests run.
fn with_files(value: &str) -> String {
    static FILES: LazyLock<TempDir> = LazyLock::new(|| {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), key.cert.pem()).unwrap();
        let key = key.signing_key.serialize_pem();
        std::fs::write(folder.path().join("key.pem"), key).unwrap();
        std::fs::write(folder.path().join("text.pem"), "no certificate").unwrap();
        folder
    });
    let folder = format!("{}/", FILES.path().display());
    value.replace("/etc/ssl/otlp/", &folder)
}

/// The settings with this example, and without it.
fn with_and_without(name: &str, example: &str) -> (Read, Read) {
    let variables = variables(name, example);
    (read(&variables), read(&variables[1..]))
}

#[test]
fn the_page_has_every_variable_of_the_specification_and_no_other() {
    let named: Vec<_> = rows().into_iter().flat_map(|row| row.names).collect();
    let named_once: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(named.len(), named_once.len(), "some are there twice");
    let missing: Vec<_> = specified().difference(&named_once).cloned().collect();
    let made_up: Vec<_> = named_once.difference(&specified()).cloned().collect();
    assert!(
        missing.is_empty() && made_up.is_empty(),
        "missing: {missing:?}, made up: {made_up:?}"
    );
}

#[test]
fn every_row_says_what_becomes_of_a_value() {
    for row in rows() {
        let examples = row.followed.len() + row.warned.len() + row.refused.len();
        assert_ne!(examples, 0, "{:?}", row.names);
    }
}

#[test]
fn what_the_page_calls_followed_changes_something_and_nothing_is_said() {
    for row in rows() {
        for (name, example) in pairs(&row.names, &row.followed) {
            let (with, without) = with_and_without(name, example);
            assert_eq!(with.warnings, without.warnings, "{name}={example}");
            assert_eq!(with.refusal, None, "{name}={example}");
            let (with, without) = (
                format!("{:?}", with.settings),
                format!("{:?}", without.settings),
            );
            assert!(
                with != without || name == "OTEL_METRICS_EXPORTER",
                "{name}={example}"
            );
        }
    }
}

#[test]
fn what_the_page_calls_warned_about_is_said_in_one_line_that_names_variable_and_value() {
    for row in rows() {
        for (name, example) in pairs(&row.names, &row.warned) {
            let (with, without) = with_and_without(name, example);
            let said: Vec<_> = with
                .warnings
                .iter()
                .filter(|warning| !without.warnings.contains(warning))
                .collect();
            let [line] = said[..] else {
                panic!("{name}={example}: {said:?}");
            };
            assert_eq!(with.refusal, None, "{name}={example}");
            assert!(!line.contains('\n'), "{line}");
            let value = &variables(name, example)[0].1;
            let named = line.contains(&format!("{name}={value}"));
            let secret = line.contains(&format!("{name}=…")) && name.ends_with("HEADERS");
            assert!(named || secret, "{name}={example}: {line}");
        }
    }
}

#[test]
fn what_the_page_calls_refused_ends_the_start_with_one_line_that_names_variable_and_value() {
    for row in rows() {
        for (name, example) in pairs(&row.names, &row.refused) {
            let (with, without) = with_and_without(name, example);
            assert_eq!(without.refusal, None, "{name}={example}");
            let line = with.refusal.unwrap_or_else(|| panic!("{name}={example}"));
            assert!(line.contains(&variables(name, example)[0].1), "{line}");
            assert!(line.contains(name) && !line.contains('\n'), "{line}");
            assert!(!line.contains("feature"), "{line}");
        }
    }
}

fn pairs<'a>(names: &'a [String], examples: &'a [String]) -> Vec<(&'a str, &'a str)> {
    let pairs = names.iter().flat_map(|name| {
        let examples = examples.iter();
        examples.map(move |example| (name.as_str(), example.as_str()))
    });
    pairs.collect()
}

#[test]
fn an_empty_value_is_none() {
    let names = specified();
    let empty: Vec<_> = names
        .into_iter()
        .map(|name| (name, " ".to_owned()))
        .collect();
    let empty = read(&empty);
    assert_eq!(empty.warnings, [""; 0]);
    assert_eq!(empty.refusal, None);
    assert_eq!(
        format!("{:?}", empty.settings),
        format!("{:?}", read(&[]).settings)
    );
}

#[test]
fn a_slip_of_the_pen_is_said_and_what_others_call_their_own_is_not() {
    for (name, said) in [
        ("OTEL_TRACE_SAMPLER", true),
        ("OTEL_EXPORTER_OTLP_ENDPIONT", true),
        ("OTEL_BSP_MAX_QUEUE", true),
        ("OTEL_EXPORTER_JAEGER_ENDPOINT", true),
        ("OTEL_PYTHON_LOG_CORRELATION", false),
        ("OTEL_JAVAAGENT_ENABLED", false),
        ("OTEL_INSTRUMENTATION_COMMON_DEFAULT_ENABLED", false),
        ("OTEL_SEMCONV_STABILITY_OPT_IN", false),
    ] {
        let warnings = read(&[(name.to_owned(), "x".to_owned())]).warnings;
        assert_eq!(warnings.len(), usize::from(said), "{name}: {warnings:?}");
    }
}

fn traces(variables: &[(&str, &str)]) -> Otlp {
    let variables = variables.iter();
    let variables: Vec<_> = variables
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let read = read(&variables);
    assert_eq!(read.refusal, None);
    read.settings.traces.unwrap()
}

#[test]
fn the_endpoint_is_put_together_as_the_specification_has_it() {
    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const OWN: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const HTTP: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    const GRPC: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "GRPC");
    for (protocol, name, endpoint, expected) in [
        (GRPC, ALL, "", "http://localhost:4317/"),
        (GRPC, ALL, "collector:4317", "https://collector:4317/"),
        (GRPC, ALL, "[::1]:4317", "https://[::1]:4317/"),
        (
            GRPC,
            ALL,
            "http://collector:4317/a/path",
            "http://collector:4317/",
        ),
        (GRPC, OWN, "https://collector", "https://collector/"),
        (HTTP, ALL, "", "http://localhost:4318/v1/traces"),
        (
            HTTP,
            ALL,
            "http://collector:4318",
            "http://collector:4318/v1/traces",
        ),
        (
            HTTP,
            ALL,
            "http://collector:4318/",
            "http://collector:4318/v1/traces",
        ),
        (
            HTTP,
            ALL,
            "https://collector/my/",
            "https://collector/my/v1/traces",
        ),
        (HTTP, OWN, "http://collector:4318", "http://collector:4318/"),
        (
            HTTP,
            OWN,
            "https://collector/v1/traces/",
            "https://collector/v1/traces/",
        ),
    ] {
        let otlp = traces(&[protocol, (name, endpoint)]);
        assert_eq!(otlp.endpoint.as_str(), expected, "{name}={endpoint}");
    }
}

#[test]
fn a_signals_own_variable_comes_first_also_when_it_cannot_be_followed() {
    let otlp = traces(&[
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "carrier-pigeon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none"),
    ]);
    assert_eq!(otlp.timeout, Duration::from_millis(2));
    assert_eq!(otlp.protocol, Protocol::HttpJson);
    assert!(!otlp.gzip);
}

#[test]
fn headers_and_resource_attributes_are_decoded() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b%2Cc,x=y=z"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "team=a%2Cb, deployment.environment.name = t%C3%A4st",
        ),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = read(&variables).settings;
    let headers = settings.traces.unwrap().headers;
    assert_eq!(
        (&headers["api-key"], &headers["x"]),
        (&"a b,c".parse().unwrap(), &"y=z".parse().unwrap())
    );
    let expected = [("team", "a,b"), ("deployment.environment.name", "täst")];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(settings.resource_attributes, expected);
}

#[test]
fn a_secret_in_an_endpoint_is_not_said() {
    let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let read = read(&[(
        name.to_owned(),
        "http://ada:secret@collector:4317/path".to_owned(),
    )]);
    assert_eq!(read.warnings.len(), 1);
    assert!(!read.warnings[0].contains("secret"), "{:?}", read.warnings);
    let named_by = read.settings.traces.unwrap().named_by;
    assert!(!named_by.contains("secret"), "{named_by}");
}

#[test]
fn no_secret_is_said_in_whatever_form_it_was_given() {
    for (name, value) in [
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "Authorization: Basic c2VjcmV0==",
        ),
        ("OTEL_EXPORTER_OTLP_HEADERS", "Bearer secret="),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "user:secret@collector:4317/path",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://user:secret@collector"),
    ] {
        let read = read(&[(name.to_owned(), value.to_owned())]);
        let said: Vec<_> = read.warnings.iter().chain(&read.refusal).collect();
        assert!(!said.is_empty(), "{value}");
        let is_secret = |line: &&&String| line.contains("secret") || line.contains("c2VjcmV0");
        assert_eq!(said.iter().find(is_secret), None);
    }
    let certificate = with_files("/etc/ssl/otlp/ca.pem");
    let plain = "http://user:secret@collector:4318".to_owned();
    let read = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), plain),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE".to_owned(), certificate),
    ]);
    assert!(!read.warnings.is_empty());
    assert!(read.warnings.iter().all(|line| !line.contains("secret")));
}
