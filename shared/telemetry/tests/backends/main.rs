//! Services whose backend is behind TLS, wants a certificate, rejects spans or takes no logs: each a process of its own,
//! since its settings are variables.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backend;

use std::path::Path;
use std::process::{Command, Output};

use backend::{Backend, Certificates};

/// The name of the test below that is the service.
const SERVICE: &str = "a_service_that_makes_spans";

/// Runs the service with these variables until it ends.
fn service(variables: &[(&str, &str)]) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args([SERVICE, "--exact", "--ignored", "--nocapture"])
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr];
    parts.map(|part| String::from_utf8_lossy(part)).concat()
}

#[tokio::test]
#[ignore = "it is a part of the others, called with the settings of each"]
async fn a_service_that_makes_spans() {
    let telemetry = match telemetry::start("service") {
        Ok(telemetry) => telemetry,
        Err(error) => {
            println!("refused: {error:#}");
            return;
        }
    };
    for _ in 0..10 {
        tracing::info_span!("span").in_scope(|| tracing::info!("line"));
    }
    telemetry.stop().await;
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Spans arrive over both protocols, compressed or not, with headers, where the backend's authority is trusted.
#[tokio::test(flavor = "multi_thread")]
async fn spans_and_log_records_reach_a_backend_behind_tls() {
    let certificates = Certificates::new();
    for protocol in ["grpc", "http/protobuf", "http/json"] {
        for compression in ["none", "gzip"] {
            let backend = Backend::start(Some(&certificates)).await;
            let output = service(&[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &backend.endpoint("https")),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
                ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s%20ecret"),
                (
                    "OTEL_EXPORTER_OTLP_CERTIFICATE",
                    text(&certificates.authority()),
                ),
                (
                    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
                    text(&certificates.client()),
                ),
                (
                    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
                    text(&certificates.client_key()),
                ),
                // A shell's proxy has nothing to do with the own machine.
                ("HTTPS_PROXY", "http://127.0.0.1:1"),
                ("HTTP_PROXY", "http://127.0.0.1:1"),
            ]);
            let case = format!("{protocol} {compression}: {}", printed(&output));
            assert!(output.status.success(), "{case}");
            let got = backend.got();
            assert!(got.traces > 0 && got.logs > 0, "{got:?} {case}");
            assert_eq!(got.api_key.as_deref(), Some("s ecret"), "{case}");
            assert_eq!(got.compressed, compression == "gzip", "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_not_trusted_gets_nothing_and_one_line_says_why() {
    let certificates = Certificates::new();
    for protocol in ["grpc", "http/protobuf"] {
        let backend = Backend::start(Some(&certificates)).await;
        let output = service(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &backend.endpoint("https")),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
            ("OTEL_LOGS_EXPORTER", "none"),
        ]);
        let printed = printed(&output);
        assert!(output.status.success(), "{printed}");
        assert_eq!(backend.got().traces, 0, "{printed}");
        assert_eq!(printed.matches("it takes nothing").count(), 1, "{printed}");
        assert!(printed.contains("\"lost\":10"), "{printed}");
        assert!(!printed.contains("feature"), "{printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backend_rejects_is_counted_and_a_backend_without_logs_is_said_once() {
    let backend = Backend::start(None).await;
    backend.rejects(3);
    backend.takes_no_logs();
    let output = service(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &backend.endpoint("http")),
        ("OTEL_BLRP_SCHEDULE_DELAY", "1"),
    ]);
    let printed = printed(&output);
    assert!(output.status.success(), "{printed}");
    assert_eq!(
        printed.matches("it has no place for log records").count(),
        1,
        "{printed}"
    );
    let total = printed
        .lines()
        .filter(|line| line.contains("since the start"));
    let total: Vec<_> = total.collect();
    assert_eq!(total.len(), 1, "{printed}");
    assert!(total[0].contains("\"lost\":3"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_followed_is_said_once_and_what_is_refused_ends_the_start() {
    let backend = Backend::start(None).await;
    let output = service(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &backend.endpoint("http")),
        ("OTEL_TRACES_SAMPLER", "half"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
    ]);
    let printed_of_it = printed(&output);
    for named in ["OTEL_TRACES_SAMPLER=half", "OTEL_BSP_MAX_QUEUE_SIZE=many"] {
        assert_eq!(printed_of_it.matches(named).count(), 1, "{printed_of_it}");
    }
    assert!(backend.got().traces > 0, "{printed_of_it}");
    let output = service(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:port")]);
    let printed = printed(&output);
    assert!(
        printed.contains("refused: OTEL_EXPORTER_OTLP_ENDPOINT=collector:port: "),
        "{printed}"
    );
}

/// Without a certificate of its own the system's authorities are asked: no start fails, and none speaks of features.
#[tokio::test(flavor = "multi_thread")]
async fn https_alone_starts() {
    let output = service(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
    ]);
    let printed = printed(&output);
    assert!(output.status.success(), "{printed}");
    assert!(!printed.contains("feature"), "{printed}");
}
