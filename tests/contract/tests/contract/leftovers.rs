//! A demo from a shell that was used for other things: what these variables say reaches no service.

use std::process::Stdio;

use anyhow::ensure;
use libtest_mimic::{Completion, Trial};
use stack::Servers;

use crate::on_a_stack_of_its_own;

/// Each of them alone has broken somebody's demo, or would. Nobody is at port 9.
const LEFTOVERS: &[(&str, &str)] = &[
    ("ALL_PROXY", "socks5://127.0.0.1:9"),
    ("HTTP_PROXY", "http://127.0.0.1:9"),
    ("HTTPS_PROXY", "http://127.0.0.1:9"),
    ("NO_PROXY", "*"),
    ("all_proxy", "http://127.0.0.1:9"),
    ("http_proxy", "http://127.0.0.1:9"),
    ("no_proxy", "example.com"),
    ("AWS_CA_BUNDLE", "/no/such/file"),
    ("AWS_CONFIG_FILE", "/no/such/file"),
    ("AWS_DEFAULT_REGION", "mars-1"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9"),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ("AWS_MAX_ATTEMPTS", "0"),
    ("AWS_PROFILE", "missing"),
    ("AWS_REGION", "mars-1"),
    ("AWS_RETRY_MODE", "rubbish"),
    ("AWS_SESSION_TOKEN", "rubbish"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
    ("AWS_USE_FIPS_ENDPOINT", "true"),
    ("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true"),
    ("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file"),
    ("GOOGLE_CLOUD_PROJECT", "other"),
    ("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.com"),
    ("PUBSUB_EMULATOR_HOST", "127.0.0.1:9"),
    ("PUBSUB_PROJECT_ID", "other"),
    ("PGDATA", "/no/such/folder"),
    ("PGHOST", "db.example.com"),
    ("PGOPTIONS", "-crubbish=1"),
    ("PGPASSFILE", "/no/such/file"),
    ("PGPASSWORD", "rubbish"),
    ("PGPORT", "9"),
    ("PGSERVICE", "missing"),
    ("PGSSLMODE", "verify-full"),
    ("PGSSLROOTCERT", "/no/such/file"),
    ("PGUSER", "nobody"),
    ("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing"),
    ("POSTGRES_URL", "postgres://nobody@127.0.0.1:9"),
    ("OTEL_BSP_SCHEDULE_DELAY", "60000"),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "key=value"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9"),
    ("OTEL_PROPAGATORS", "b3"),
    ("OTEL_RESOURCE_ATTRIBUTES", "service.name=mine"),
    ("OTEL_SDK_DISABLED", "true"),
    ("OTEL_SERVICE_NAME", "mine"),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", "0"),
    ("OTEL_TRACES_EXPORTER", "none"),
    ("OTEL_TRACES_SAMPLER", "always_off"),
    ("GATEWAY_URL", "http://127.0.0.1:9"),
    ("INVENTORY_URL", "http://127.0.0.1:9"),
    ("JAEGER_URL", "http://127.0.0.1:9"),
    ("KAFKA_BROKERS", "127.0.0.1:9"),
    ("LISTEN_ADDR", "127.0.0.1:9"),
    ("MAIL_URL", "http://127.0.0.1:9"),
    ("OPENAI_API_KEY", "sk-rubbish"),
    ("OPENAI_EMBEDDINGS_MODEL", "other"),
    ("ORDERS_URL", "http://127.0.0.1:9"),
    ("SMTP_URL", "smtp://127.0.0.1:9"),
    // Set to nothing, and so not set.
    ("GATEWAY_PORT", ""),
    ("ORDERFLOW_SERVERS", ""),
    ("BASH_ENV", "/no/such/file"),
    ("CDPATH", "/tmp"),
    ("COLUMNS", "rubbish"),
    ("ENV", "/no/such/file"),
    ("JAVA_TOOL_OPTIONS", "-Xrubbish"),
    ("LC_ALL", "rubbish"),
    ("NODE_OPTIONS", "--require=/no/such/file"),
    ("POSIXLY_CORRECT", "1"),
    ("REQUEST_METHOD", "GET"),
    ("SSL_CERT_DIR", "/no/such/folder"),
    ("SSL_CERT_FILE", "/no/such/file"),
    ("TERM", "rubbish"),
    ("TMPDIR", "/no/such/folder"),
    ("TOKIO_WORKER_THREADS", "rubbish"),
    ("TZ", "rubbish"),
];

/// Skipped where the services are not ours to set up.
pub(crate) fn trial(servers: Servers, outside: bool) -> Trial {
    let name = "a_demo_shows_whole_traces_whatever_the_shell_has_left".to_owned();
    let elsewhere = outside || servers != Servers::Embedded;
    on_a_stack_of_its_own(name, elsewhere, async || demo())
}

fn demo() -> anyhow::Result<Completion> {
    let folder = stack::folder()?;
    let mut demo = stack::command()?;
    demo.args(["demo", "--once", "--free-ports", "--dir"])
        .arg(folder.path())
        .envs(LEFTOVERS.iter().copied())
        .stdin(Stdio::null());
    let output = demo.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {said}", output.status);
    let line = said.lines().next().unwrap_or_default();
    for words in [
        "orderflow passes on ",
        "HTTP_PROXY",
        "it ignores ",
        "AWS_USE_FIPS_ENDPOINT",
    ] {
        ensure!(line.contains(words), "{words} is not in {line}");
    }
    Ok(Completion::Completed)
}
