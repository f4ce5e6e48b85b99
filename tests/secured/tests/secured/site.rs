//! The servers, the services, and a customer.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use lifeline::Lifeline;
use reqwest::Client;
use serde_json::{Value, json};
use stack::{Options, Servers, Stack};
use story::{JaegerClient, TraceId};

use crate::certificates::Certificates;
use crate::kafka::Kafka;
use crate::postgres::Postgres;
use crate::process::{Process, free_port, installed};
use crate::tokens::Tokens;

/// In an order in which each has whom it asks.
const SERVICES: [&str; 5] = ["inventory", "orders", "classifier", "email", "gateway"];

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

type Settings = HashMap<String, String>;

pub(crate) struct Site {
    pub(crate) postgres: Postgres,
    pub(crate) jaeger: JaegerClient,
    http: Client,
    services: Vec<Process>,
    kafka: Kafka,
    collector: Collector,
    mail: Mail,
    tokens: Tokens,
    stack: Stack,
    certificates: Certificates,
    lifeline: Lifeline,
    folder: PathBuf,
}

impl Site {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        // The user of PostgreSQL must be able to get at its folder.
        let folder = tempfile::Builder::new()
            .prefix("orderflow-secured-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()?
            .keep();
        let lifeline = Lifeline::start(None, Some(&folder))?;
        let options = Options {
            servers: Servers::of_this_run()?,
            ..Options::default()
        };
        let stack = Stack::start(options).await?;
        let certificates = Certificates::make(&folder.join("certificates"))?;
        let collector = Collector::start(&folder, &certificates, &lifeline).await?;
        Ok(Self {
            postgres: Postgres::start(&folder.join("postgres"), &certificates, &lifeline).await?,
            jaeger: JaegerClient::new(&collector.query),
            // No trace context: the gateway begins the trace.
            http: Client::builder().timeout(REQUEST_TIMEOUT).build()?,
            services: Vec::new(),
            kafka: Kafka::start(&folder.join("kafka"), &certificates, &lifeline).await?,
            collector,
            mail: Mail::start(&folder, &certificates, &lifeline).await?,
            tokens: Tokens::serve().await?,
            stack,
            certificates,
            lifeline,
            folder,
        })
    }

    pub(crate) async fn start_services(&mut self) -> anyhow::Result<()> {
        let http = self.http.clone();
        for name in SERVICES {
            let settings = self.settings(name)?;
            let address = settings["LISTEN_ADDR"].clone();
            let mut service = self.spawn(name, &settings)?;
            let ready = async || Ok(is_ready(&http, &address).await.then_some(()));
            service.until("being ready", ready).await?;
            self.services.push(service);
        }
        Ok(())
    }

    /// The service, as `STACK` has it: a process, or a container of its image.
    fn spawn(&self, name: &str, settings: &Settings) -> anyhow::Result<Process> {
        let command = match Servers::of_this_run()? {
            Servers::Containers => self.container(name, settings),
            Servers::Embedded | Servers::Native => self.program(name, settings)?,
        };
        Process::start(name, &command, &self.folder, &self.lifeline)
    }

    fn program(&self, name: &str, settings: &Settings) -> anyhow::Result<Command> {
        let program = self.folder.join(name);
        if !program.exists() {
            symlink(env!("CARGO_BIN_EXE_service"), &program)?;
        }
        let mut command = Command::new(program);
        command.envs(settings);
        Ok(command)
    }

    /// On the network of the host, where the servers are.
    fn container(&self, name: &str, settings: &Settings) -> Command {
        let certificates = self.certificates.folder().display();
        let mut command = Command::new("docker");
        command
            .args(["run", "--rm", "--network=host"])
            .arg(format!("--volume={certificates}:{certificates}:ro,z"))
            .args(
                settings
                    .iter()
                    .map(|(name, value)| format!("--env={name}={value}")),
            )
            .arg(format!("orderflow/{name}"));
        command
    }

    /// What the stack tells the service, with servers that ask for TLS in place of its own.
    fn settings(&self, service: &str) -> anyhow::Result<Settings> {
        let mut settings = self.stack.settings_of(service)?;
        let authority = self.certificates.authority();
        let mut set = |name: &str, value: String| settings.insert(name.to_owned(), value);
        set("DATABASE_URL", self.postgres.url(service, &authority));
        set("KAFKA_BROKERS", format!("localhost:{}", self.kafka.port));
        set("KAFKA_SECURITY_PROTOCOL", "SASL_SSL".to_owned());
        set("KAFKA_SSL_CA_LOCATION", authority.clone());
        let mechanism = match service {
            "orders" => "SCRAM-SHA-512",
            "email" => "SCRAM-SHA-256",
            _ => "PLAIN",
        };
        set("KAFKA_SASL_MECHANISM", mechanism.to_owned());
        set("KAFKA_SASL_USERNAME", service.to_owned());
        set("KAFKA_SASL_PASSWORD", format!("{service}-secret"));
        if service == "classifier" {
            for (name, value) in self.tokens.settings() {
                set(name, value);
            }
        } else {
            set("KAFKA_COMPRESSION_TYPE", "zstd".to_owned());
        }
        set("SMTP_URL", self.mail.url.clone());
        set("SSL_CERT_FILE", authority.clone());
        set("OTEL_EXPORTER_OTLP_CERTIFICATE", authority);
        set("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip".to_owned());
        set("OTEL_LOGS_EXPORTER", "none".to_owned());
        // Both protocols, each by services of its own.
        let (protocol, port) = match service {
            "gateway" | "email" => ("http/protobuf", self.collector.http),
            _ => ("grpc", self.collector.grpc),
        };
        set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned());
        set(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("https://localhost:{port}"),
        );
        Ok(settings)
    }

    /// Starts the service with one setting that is wrong, and waits until it says `expected`.
    pub(crate) async fn refuses(
        &self,
        service: &str,
        setting: &str,
        value: &str,
        expected: &str,
    ) -> anyhow::Result<()> {
        let mut settings = self.settings(service)?;
        settings.insert(setting.to_owned(), value.to_owned());
        let mut process = self.spawn(service, &settings)?;
        let log = process.log();
        let said = async || {
            let said = fs::read_to_string(&log)?;
            Ok(said.to_lowercase().contains(expected).then_some(()))
        };
        let what = format!("{setting}={value}: {expected}");
        process.until(&what, said).await?;
        process.stop().await
    }

    /// Places an order; its id, and the trace of the request.
    pub(crate) async fn order(&self) -> anyhow::Result<(String, TraceId)> {
        let url = format!("{}/orders", self.gateway()?);
        let items = ["ITEM-001", "ITEM-002"]
            .map(|item| json!({"item_id": item, "quantity": 1, "price": 2999}));
        let order = json!({"customer_id": "ada", "items": items, "note": "ring twice"});
        let response = self.http.post(url).json(&order).send().await?;
        let trace = response.headers().get("traceresponse");
        let trace = trace.context("a traceresponse")?.to_str()?.to_owned();
        let trace = trace.split('-').nth(1).context("its trace")?.parse()?;
        let body: Value = response.error_for_status()?.json().await?;
        let order_id = body["order_id"].as_str().context("an order_id")?;
        Ok((order_id.to_owned(), trace))
    }

    fn gateway(&self) -> anyhow::Result<String> {
        let settings = self.stack.settings_of("gateway")?;
        Ok(format!("http://{}", settings["LISTEN_ADDR"]))
    }

    pub(crate) async fn reaches(&mut self, order_id: &str, status: &str) -> anyhow::Result<()> {
        let url = format!("{}/orders/{order_id}", self.gateway()?);
        let http = self.http.clone();
        let there = async || {
            let order: Value = http.get(&url).send().await?.json().await?;
            Ok((order["status"] == status).then_some(()))
        };
        let orders = self.services.get_mut(1).context("orders runs")?;
        orders.until(status, there).await
    }

    /// The mail that was sent first.
    pub(crate) async fn mail(&mut self) -> anyhow::Result<Value> {
        let log = self.mail.process.log();
        let mail = async || {
            let said = fs::read_to_string(&log)?;
            let mails = said
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            Ok(mails.into_iter().next())
        };
        self.mail.process.until("a mail", mail).await
    }

    /// A token is good for some seconds, so the classifier asks for the next one.
    pub(crate) async fn renews_its_token(&mut self) -> anyhow::Result<()> {
        let before = self.tokens.given();
        let tokens = &self.tokens;
        let renewed = async || Ok((tokens.given() > before).then_some(()));
        let classifier = self.services.get_mut(2).context("the classifier runs")?;
        classifier.until("the next token", renewed).await
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        for service in self.services {
            service.stop().await?;
        }
        self.postgres.stop().await?;
        self.lifeline.close().await;
        Ok(())
    }
}

async fn is_ready(http: &Client, address: &str) -> bool {
    let answer = http.get(format!("http://{address}/readyz")).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// Jaeger, which is a Collector, with TLS for both protocols.
struct Collector {
    grpc: u16,
    http: u16,
    query: String,
    _process: Process,
}

impl Collector {
    async fn start(
        folder: &Path,
        certificates: &Certificates,
        lifeline: &Lifeline,
    ) -> anyhow::Result<Self> {
        let (grpc, http, query) = (free_port()?, free_port()?, free_port()?);
        let config = include_str!("jaeger.yaml")
            .replace("{certificate}", &certificates.file("server.pem"))
            .replace("{key}", &certificates.file("server.key"))
            .replace("{grpc}", &grpc.to_string())
            .replace("{http}", &http.to_string())
            .replace("{query}", &query.to_string());
        let file = folder.join("jaeger.yaml");
        fs::write(&file, config)?;
        let mut command = Command::new(installed("jaeger")?.join("jaeger"));
        command.arg("--config").arg(file);
        let mut process = Process::start("jaeger", &command, folder, lifeline)?;
        for port in [grpc, http, query] {
            process.listens(port).await?;
        }
        Ok(Self {
            grpc,
            http,
            query: format!("http://127.0.0.1:{query}"),
            _process: process,
        })
    }
}

/// A mail server that wants STARTTLS and a login.
struct Mail {
    url: String,
    process: Process,
}

impl Mail {
    async fn start(
        folder: &Path,
        certificates: &Certificates,
        lifeline: &Lifeline,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let script = folder.join("smtp.js");
        fs::write(&script, include_str!("smtp.js"))?;
        let mut command = Command::new("node");
        command
            .env("NODE_PATH", installed("maildev")?.join("node_modules"))
            .arg(script)
            .arg(port.to_string())
            .arg(certificates.folder())
            .args(["email", "email-secret"]);
        let mut process = Process::start("smtp", &command, folder, lifeline)?;
        process.listens(port).await?;
        ensure!(process.said().is_empty(), "{}", process.said());
        Ok(Self {
            url: format!("smtp://email:email-secret@localhost:{port}?tls=required"),
            process,
        })
    }
}
