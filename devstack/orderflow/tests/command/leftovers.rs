use std::time::{Duration, Instant};

use crate::helpers::{Installation, get, stderr};

/// Longer than it takes to look at what was said; shorter than a start.
const AT_ONCE: Duration = Duration::from_secs(10);

#[test]
fn what_cannot_be_followed_ends_a_demo_at_once_with_its_variable() {
    let installation = Installation::new();
    // Nobody is at port 9.
    for (variable, value) in [
        ("GATEWAY_PORT", "tcp://10.0.0.1:8080"),
        ("KAFKA_PORT", "tcp://10.0.0.1:9092"),
        ("ORDERFLOW_SERVERS", "rubbish"),
        ("FAULT_MAIL", "rubbish"),
        ("FAULT_EMBEDDINGS", "rubbish"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "rubbish"),
    ] {
        let began = Instant::now();
        let mut demo = installation.command(&["demo", "--once", "--free-ports"]);
        let output = demo.env(variable, value).output().unwrap();

        let message = stderr(&output);
        assert!(!output.status.success(), "{variable}: {message}");
        assert!(began.elapsed() < AT_ONCE, "{variable}: {message}");
        let last = message.lines().last().unwrap();
        assert!(last.starts_with("error: "), "{variable}: {message}");
        assert!(last.contains(variable), "{variable}: {message}");
    }
}

#[test]
fn services_inherit_what_was_set_on_purpose_and_nothing_that_leads_elsewhere() {
    let installation = Installation::new();
    let mut command = installation.command(&["up", "--free-ports", "--detach"]);
    let output = command
        .env("MESSAGING_CONCURRENCY", "7")
        .env("OTEL_TRACES_SAMPLER", "always_off")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("HTTP_PROXY", "http://proxy.example")
        .env("AWS_USE_FIPS_ENDPOINT", "true")
        .env("OTEL_SERVICE_NAME", "mine")
        .output()
        .unwrap();

    let message = stderr(&output);
    assert!(output.status.success(), "{message}");
    assert_eq!(
        message.lines().next().unwrap(),
        "of this shell, orderflow passes on HTTP_PROXY, MESSAGING_CONCURRENCY, OTEL_EXPORTER_OTLP_PROTOCOL, \
         OTEL_TRACES_SAMPLER; it ignores AWS_USE_FIPS_ENDPOINT, OTEL_SERVICE_NAME \
         (devstack/orderflow/README.md says why)"
    );
    assert_eq!(message.matches("of this shell").count(), 1, "{message}");
    let settings = get(&installation.setting("ORDERS_URL"), "/settings");
    for line in [
        "MESSAGING_CONCURRENCY=7",
        "OTEL_TRACES_SAMPLER=always_off",
        "HTTP_PROXY=http://proxy.example",
        "NO_PROXY=127.0.0.1,localhost,::1",
    ] {
        assert!(settings.lines().any(|it| it == line), "{settings}");
    }
    assert!(!settings.contains("FIPS") && !settings.contains("mine"));
    installation.output(&["down"]);
}
