//! The servers of `docker-compose.yml`, in containers of this run's own.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use testcontainers::compose::DockerCompose;

/// Removes a project once its standard input ends: with the value that holds it, and also when the tests were killed.
const REMOVE_AT_THE_END: &str = r#"cat >/dev/null; exec docker compose --progress quiet --project-name "$0" down --volumes --timeout 1"#;
/// The published ports of the servers, as the compose file names them.
const PORTS: [&str; 9] = [
    "KAFKA_PORT",
    "MAIL_PORT",
    "OTLP_GRPC_PORT",
    "OTLP_HTTP_PORT",
    "POSTGRES_PORT",
    "PUBSUB_PORT",
    "SMTP_PORT",
    "SQS_PORT",
    "TRACES_PORT",
];

/// Running servers.
#[derive(Debug)]
pub(crate) struct Containers {
    /// What `orderflow up --servers outside` has to know.
    pub(crate) settings: Vec<(&'static str, String)>,
    remover: Child,
}

impl Containers {
    /// Starts the servers on free ports and waits until they are healthy.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let ports = free_ports()?;
        // A folder's name and a project's follow the same rule, and this one is nobody else's.
        let project = format!("orderflow-test-{}", ports["KAFKA_PORT"]);
        let containers = Self {
            settings: addresses(&ports),
            remover: remover(&project)?,
        };
        let compose = DockerCompose::with_local_client(&files())
            .with_project_name(project)
            .with_env_vars(ports);
        // The remover does what its drop would do, which is not run for a static.
        let mut compose = ManuallyDrop::new(compose);
        compose
            .up()
            .await
            .context("starting the servers of docker-compose.yml")?;
        Ok(containers)
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        match self.remover.wait() {
            Ok(status) if status.success() => {}
            how => eprintln!("the containers of this test may still be there: {how:?}"),
        }
    }
}

fn remover(project: &str) -> anyhow::Result<Child> {
    let mut remover = Command::new("sh");
    remover
        .args(["-c", REMOVE_AT_THE_END, project])
        // Of its own, so that Ctrl-C reaches the tests alone.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    remover.spawn().context("starting sh")
}

/// The file that users have, so that what is tested is what they run.
fn files() -> [PathBuf; 2] {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    [
        here.join("../../docker-compose.yml"),
        here.join("servers.yml"),
    ]
}

/// Taken all at once, so that no two are the same.
fn free_ports() -> anyhow::Result<HashMap<String, String>> {
    let listeners = PORTS.map(|name| Ok((name, orderflow::listen_on_free_port()?)));
    let ports = listeners.into_iter().map(|listener: anyhow::Result<_>| {
        let (name, listener) = listener?;
        let port = listener.local_addr()?.port();
        Ok((listener, (name.to_owned(), port.to_string())))
    });
    let ports: Vec<_> = ports.collect::<anyhow::Result<_>>()?;
    Ok(ports.into_iter().map(|(_listener, port)| port).collect())
}

fn addresses(ports: &HashMap<String, String>) -> Vec<(&'static str, String)> {
    let at = |scheme: &str, port: &str| format!("{scheme}127.0.0.1:{}", ports[port]);
    vec![
        ("AWS_ENDPOINT_URL_SQS", at("http://", "SQS_PORT")),
        ("JAEGER_URL", at("http://", "TRACES_PORT")),
        ("KAFKA_BROKERS", at("", "KAFKA_PORT")),
        ("MAIL_URL", at("http://", "MAIL_PORT")),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            at("http://", "OTLP_GRPC_PORT"),
        ),
        (
            "POSTGRES_URL",
            at("postgres://postgres:postgres@", "POSTGRES_PORT"),
        ),
        ("PUBSUB_EMULATOR_HOST", at("", "PUBSUB_PORT")),
        ("SMTP_URL", at("smtp://", "SMTP_PORT")),
    ]
}
