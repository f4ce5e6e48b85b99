//! The table of parts: a row for each server that a stack may need, and all that is said about it.
//!
//! From it follow the flags and their `--help`, the claim of ports, what services and clients are told, the addresses on
//! the screen, the names for `stop` and its like, and what is started in which mode.
//! A new part is a row here and a function that serves or starts it; a real server that is only run is the row alone.

use std::time::Duration;

use anyhow::Context as _;
use futures::FutureExt as _;

use crate::install::{Origin, Program, Recipe};
use crate::parts::part::{FLAG, Flag, Part, Server, Start, Variable};
use crate::parts::{kafka, native, postgres, stand_ins};
use crate::ports::Port;
use crate::process::DRAIN_LIMIT;
use crate::service::SERVICES;
use crate::topology::{self, PUBSUB_PROJECT};

/// A file of `infra`, by its path below it.
macro_rules! infra {
    ($path:literal) => {
        include_str!(concat!("../../../infra/", $path))
    };
}

/// A Java virtual machine for one small server, with one core's worth of collector, and its arguments.
macro_rules! java {
    ($($arguments:literal),+) => {
        concat!("java -XX:+UseSerialGC -XX:-UsePerfData", $(" ", $arguments),+)
    };
}

/// A row that says nothing.
const PART: Part = Part {
    name: "",
    ports: &[],
    address: "",
    variables: &[],
    embedded: None,
    native: None,
    is_ours_outside: false,
    stops_last: false,
};

/// The ports are those of the real servers, except PostgreSQL's: 5432 is often taken.
#[rustfmt::skip]
pub(crate) static PARTS: [Part; 8] = [
    Part {
        name: "postgres",
        ports: &[Port::new("postgres-port", "POSTGRES_PORT", "54320", "PostgreSQL")],
        address: "postgres://postgres@{POSTGRES}  (loopback only, no password)",
        variables: &[
            Variable::new(POSTGRES_URL, "postgres://postgres@{POSTGRES}").with(Flag {
                long: "postgres-url", placeholder: "URL", is_secret: true,
                help: "PostgreSQL, for example `postgres://postgres:postgres@127.0.0.1:5432`; databases that are \
                    missing are created", ..FLAG }),
        ],
        embedded: Some(Start::Child(|site, life| postgres::live(site, life).boxed())),
        ..PART
    },
    Part {
        name: "kafka",
        ports: &[
            Port::new("kafka-port", "KAFKA_PORT", "9092", "Kafka (--servers native)"),
            Port::new("kafka-controller-port", "KAFKA_CONTROLLER_PORT", "9093", "Kafka's controller (--servers native)"),
        ],
        address: "{KAFKA}",
        variables: &[
            Variable::new("KAFKA_BROKERS", "{KAFKA}").with(Flag { long: "kafka-brokers", placeholder: "LIST",
                help: "Kafka's `host:port`, several with commas; topics that are missing are created", ..FLAG }),
        ],
        embedded: Some(Start::Once(|site, life| kafka::live(site, life).boxed(), kafka::ONCE)),
        // One process that is broker and controller (KRaft).
        native: Some(Server {
            title: "Apache Kafka 4.3.1",
            origin: Origin::Made(Recipe {
                name: "kafka",
                files: &[("pom.xml", infra!("native/kafka/pom.xml"))],
                ..JARS
            }),
            files: &[("server.properties", infra!("native/kafka/server.properties"))],
            // Any cluster id would do, as long as it stays the same: 16 bytes in URL-safe base64.
            first: Some(("logs/meta.properties", java!(
                "-Xmx512m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp {jars} kafka.tools.StorageTool",
                "format --cluster-id b3JkZXJmbG93LW5hdGl2ZQ --config {data}/server.properties"))),
            command: java!(
                "-Xmx512m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp {jars} kafka.Kafka",
                "{data}/server.properties"),
            ready: "{KAFKA}",
            set_up: Some(|ports| topology::create_topics(ports.fill("{KAFKA}")).boxed()),
            ..SERVER
        }),
        ..PART
    },
    Part {
        name: "sqs",
        ports: &[Port::new("sqs-port", "SQS_PORT", "9324", "SQS")],
        address: "http://{SQS}",
        variables: &[
            Variable::new("AWS_ENDPOINT_URL_SQS", "http://{SQS}").with(Flag {
                long: "aws-endpoint-url-sqs", placeholder: "URL",
                help: "SQS, or an emulator of it. It must have the queues", ..FLAG }),
            Variable::new("AWS_REGION", "us-east-1").with(Flag { long: "aws-region", placeholder: "REGION", ..FLAG }),
            // An emulator takes any key; the SDK insists on having one.
            Variable::new("AWS_ACCESS_KEY_ID", "orderflow").with(Flag {
                long: "aws-access-key-id", placeholder: "ID", is_secret: true, ..FLAG }),
            Variable::new("AWS_SECRET_ACCESS_KEY", "orderflow").with(Flag {
                long: "aws-secret-access-key", placeholder: "KEY", is_secret: true, ..FLAG }),
        ],
        embedded: Some(Start::Inside {
            serve: |listeners, _, stop| stand_ins::sqs(listeners, stop).boxed(),
            loses: "its messages are lost",
        }),
        native: Some(Server {
            title: "ElasticMQ 1.7.1",
            origin: Origin::Made(Recipe {
                name: "elasticmq",
                files: &[("pom.xml", infra!("native/elasticmq/pom.xml"))],
                ..JARS
            }),
            // The queues, and that messages are kept: the same file as in the containers; the command line wins over it.
            files: &[("elasticmq.conf", infra!("elasticmq/elasticmq.conf"))],
            // Of an emulator, a quick start is wanted and no speed record: it does without the second compiler.
            command: java!(
                "-Xmx256m -XX:TieredStopAtLevel=1 -Dconfig.file={data}/elasticmq.conf -Drest-sqs.bind-hostname=127.0.0.1",
                "-Drest-sqs.bind-port={SQS_PORT} -Dmessages-storage.uri=jdbc:h2:{data}/messages -cp {jars}",
                "org.elasticmq.server.Main"),
            // It takes requests before it has its queues.
            ready: "http://{SQS}/?Action=GetQueueUrl&QueueName=classification-jobs",
            // It waits until the last long poll is over, up to 20 seconds, whose client has gone by then; its messages
            // are on disk.
            patience: Duration::from_secs(2),
            ..SERVER
        }),
        ..PART
    },
    Part {
        name: "pubsub",
        ports: &[Port::new("pubsub-port", "PUBSUB_PORT", "8085", "Pub/Sub")],
        address: "http://{PUBSUB}",
        variables: &[
            Variable::new("PUBSUB_EMULATOR_HOST", "{PUBSUB}").with(Flag {
                long: "pubsub-emulator-host", placeholder: "HOST:PORT",
                help: "The Pub/Sub emulator's `host:port`; topics and subscriptions that are missing are created", ..FLAG }),
            Variable::new("PUBSUB_PROJECT_ID", PUBSUB_PROJECT),
        ],
        embedded: Some(Start::Inside {
            serve: |listeners, _, stop| stand_ins::pubsub(listeners, stop).boxed(),
            loses: "its messages are lost",
        }),
        // It comes with the Google Cloud CLI and from nowhere else: it is run where it is, in whichever version that is.
        // Its messages live in memory.
        native: Some(Server {
            title: "Google's Pub/Sub emulator",
            origin: Origin::Found {
                with: &[Program::JAVA, Program::GCLOUD],
                find: || native::find_emulator(&Program::GCLOUD.find().context("gcloud has gone")?),
            },
            // It tells of each request; with this file, of what went wrong.
            files: &[("logging.properties", infra!("native/pubsub/logging.properties"))],
            command: java!(
                "-Xmx256m -XX:TieredStopAtLevel=1 -Djava.util.logging.config.file={data}/logging.properties",
                "-jar {installed} --host=127.0.0.1 --port={PUBSUB_PORT}"),
            ready: "http://{PUBSUB}/v1/projects/orderflow/topics",
            set_up: Some(|ports| topology::create_subscriptions(ports.fill("{PUBSUB}")).boxed()),
            ..SERVER
        }),
        ..PART
    },
    Part {
        name: "embeddings",
        ports: &[Port::new("embeddings-port", "EMBEDDINGS_PORT", "8090", "the embeddings endpoint")],
        address: "http://{EMBEDDINGS}",
        variables: &[
            Variable::new(OPENAI_URL, "http://{EMBEDDINGS}/v1").with(Flag {
                long: "openai-base-url", placeholder: "URL", is_override: true,
                help: "Use this OpenAI-compatible server, for example a local model server, instead of the built-in \
                    embeddings", ..FLAG }),
            Variable::new("OPENAI_API_KEY", "orderflow").with(Flag {
                long: "openai-api-key", placeholder: "KEY", is_override: true, is_secret: true,
                help: "The key for it. Without `OPENAI_BASE_URL` no real key leaves this process" }),
            Variable::new("OPENAI_EMBEDDINGS_MODEL", embeddings::model::NAME).with(Flag {
                long: "openai-embeddings-model", placeholder: "MODEL", is_override: true,
                help: "The model to ask it for", ..FLAG }),
        ],
        embedded: Some(Start::Inside {
            serve: |listeners, faults, stop| stand_ins::embeddings(listeners, faults, stop).boxed(),
            loses: "loses nothing",
        }),
        is_ours_outside: true,
        ..PART
    },
    Part {
        name: "mail",
        ports: &[
            Port::new("smtp-port", "SMTP_PORT", "1025", "the mail server (SMTP)"),
            Port::new("mail-port", "MAIL_PORT", "8025", "the mail page"),
        ],
        address: "http://{MAIL}  (SMTP on {SMTP_PORT})",
        variables: &[
            Variable::new("SMTP_URL", "smtp://{SMTP}").with(Flag { long: "smtp-url", placeholder: "URL",
                help: "The mail server, `smtp://host:port`", ..FLAG }),
            Variable::new("MAIL_URL", "http://{MAIL}").with(Flag { long: "mail-url", placeholder: "URL",
                help: "The mail server's API and page", ..FLAG }),
        ],
        embedded: Some(Start::Inside {
            serve: |listeners, faults, stop| stand_ins::mail(listeners, faults, stop).boxed(),
            loses: "the mails that it showed are lost",
        }),
        native: Some(Server {
            title: "MailDev 2.2.1",
            origin: Origin::Made(Recipe {
                name: "maildev",
                files: &[
                    ("package.json", infra!("native/maildev/package.json")),
                    ("package-lock.json", infra!("native/maildev/package-lock.json")),
                ],
                made_with: &[Program::NPM],
                run_with: &[Program::NODE],
                takes: "packages by npm, less than a minute",
                // Exactly what the lock file says, and none of the packages' own scripts.
                script: "npm ci --omit=dev --ignore-scripts --no-audit --no-fund",
            }),
            command: "node {installed}/node_modules/maildev/bin/maildev --ip 127.0.0.1 --smtp {SMTP_PORT} \
                      --web {MAIL_PORT} --mail-directory {data}",
            ready: "http://{MAIL}/healthz",
            ..SERVER
        }),
        ..PART
    },
    Part {
        name: "traces",
        ports: &[
            Port::new("otlp-grpc-port", "OTLP_GRPC_PORT", "4317", "the trace store (OTLP over gRPC)"),
            Port::new("otlp-http-port", "OTLP_HTTP_PORT", "4318", "the trace store (OTLP over HTTP)"),
            Port::new("traces-port", "TRACES_PORT", "16686", "the trace page and query API"),
        ],
        address: "http://{TRACES}  (OTLP: gRPC on {OTLP_GRPC_PORT}, HTTP on {OTLP_HTTP_PORT})",
        variables: &[
            Variable::new("JAEGER_URL", "http://{TRACES}").with(Flag { long: "jaeger-url", placeholder: "URL",
                help: "Jaeger's query API and page", ..FLAG }),
            Variable::new(OTLP_ENDPOINT, "http://{OTLP_GRPC}").with(Flag {
                long: "otlp-endpoint", placeholder: "URL", is_override: true,
                help: "Send telemetry here instead of to the trace store of the stack", ..FLAG }),
            Variable::new(OTLP_PROTOCOL, "").with(Flag {
                long: "otlp-protocol", placeholder: "PROTOCOL", is_override: true,
                help: "How telemetry is sent; the trace store of the stack takes each", ..FLAG }),
            // Shorter than the SDK's own 5 s: who places an order here wants to see its trace.
            Variable::new(SPAN_DELAY, "100").with(Flag { long: "span-delay", placeholder: "MS", is_override: true,
                help: "Milliseconds that spans wait to leave together [default: 100]; those of a service that is \
                    killed go with it", ..FLAG }),
        ],
        embedded: Some(Start::Inside {
            serve: |listeners, _, stop| stand_ins::traces(listeners, stop).boxed(),
            loses: "the traces that it kept are lost",
        }),
        // Jaeger v2, its own Collector: OTLP in, query API and page out. Traces live in memory.
        // The module, whose version of the same commit is another, leaves the page out; a crate carries the built one.
        native: Some(Server {
            title: "Jaeger 2.13.0",
            origin: Origin::Made(Recipe {
                name: "jaeger",
                files: &[
                    ("go.mod", infra!("native/jaeger/go.mod")),
                    ("go.sum", infra!("native/jaeger/go.sum")),
                    ("page/Cargo.toml", infra!("native/jaeger/page/Cargo.toml")),
                    ("page/Cargo.lock", infra!("native/jaeger/page/Cargo.lock")),
                ],
                made_with: &[Program::GO, Program::CARGO],
                run_with: &[],
                takes: "a build from source that takes about thirteen minutes of CPU",
                script: "module=github.com/jaegertracing/jaeger
                    CGO_ENABLED=0 go build -trimpath -o jaeger \
                        -ldflags \"-s -w -X $module/internal/version.latestVersion=v{version}\" $module/cmd/jaeger
                    cargo vendor --locked --manifest-path page/Cargo.toml vendor
                    mv vendor/otlp-embedded/jaeger-ui/build ui
                    rm -r vendor",
            }),
            files: &[("jaeger.yaml", infra!("native/jaeger/jaeger.yaml"))],
            command: "{installed}/jaeger --config {data}/jaeger.yaml",
            environment: &[
                ("JAEGER_PAGE", "{installed}/ui"),
                ("TRACES_PORT", "{TRACES_PORT}"),
                ("OTLP_GRPC_PORT", "{OTLP_GRPC_PORT}"),
                ("OTLP_HTTP_PORT", "{OTLP_HTTP_PORT}"),
                // Its own spans would stand among ours.
                ("OTEL_TRACES_SAMPLER", "always_off"),
            ],
            ready: "http://{TRACES}/api/v3/services",
            ..SERVER
        }),
        stops_last: true,
        ..PART
    },
    // Jaeger takes no logs; the stand-in of the embedded mode takes both.
    Part {
        name: "logstore",
        ports: &[Port::new("logs-port", "LOGS_PORT", "9428", "the log store (--servers native)")],
        address: "http://{LOGS}/select/vmui",
        variables: &[
            Variable::new("LOGS_URL", "http://{LOGS}"),
            Variable::new("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://{LOGS}/insert/opentelemetry/v1/logs"),
            Variable::new("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf"),
        ],
        native: Some(Server {
            title: "VictoriaLogs 1.52.1",
            origin: Origin::Made(Recipe {
                name: "victorialogs",
                files: &[
                    ("go.mod", infra!("native/victorialogs/go.mod")),
                    ("go.sum", infra!("native/victorialogs/go.sum")),
                ],
                made_with: &[Program::GO],
                run_with: &[],
                takes: "a build from source that takes about a minute of CPU",
                script: "CGO_ENABLED=0 go build -trimpath -ldflags \"-s -w\" -o victoria-logs \
                    github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs",
            }),
            command: "{installed}/victoria-logs -httpListenAddr={LOGS} -storageDataPath={data} -loggerLevel=WARN",
            ready: "http://{LOGS}/health",
            ..SERVER
        }),
        stops_last: true,
        ..PART
    },
];

/// A server that comes with everything and takes its time to end.
const SERVER: Server = Server {
    title: "",
    origin: Origin::Made(JARS),
    files: &[],
    first: None,
    command: "",
    environment: &[],
    ready: "",
    set_up: None,
    patience: DRAIN_LIMIT,
};

/// What the folder's `pom.xml` names, and all that it needs, in `jars`.
const JARS: Recipe = Recipe {
    name: "",
    files: &[],
    made_with: &[Program::MAVEN],
    run_with: &[Program::JAVA],
    takes: "jars by Maven, less than a minute",
    script: "mvn --batch-mode --quiet dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=jars",
};

/// Of this one, each service is told its own database.
pub(crate) const POSTGRES_URL: &str = "POSTGRES_URL";
pub(crate) const OPENAI_URL: &str = "OPENAI_BASE_URL";
pub(crate) const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
pub(crate) const OTLP_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
pub(crate) const SPAN_DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";

/// The names that `stop` and its like take.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let services = SERVICES.iter().map(|service| service.name);
    services.chain(PARTS.iter().map(|part| part.name))
}

/// Every port: of the services, of what runs inside this process, and of the rest.
pub(crate) fn ports() -> impl Iterator<Item = &'static Port> {
    let (inside, children): (Vec<_>, Vec<_>) = PARTS.iter().partition(|part| part.is_inside());
    let parts = inside.into_iter().chain(children);
    let services = SERVICES.iter().map(|service| &service.port);
    services.chain(parts.flat_map(|part| part.ports))
}

/// The number that a port has unless its variable moves it.
pub(crate) fn usual(variable: &str) -> &'static str {
    let port = ports().find(|port| port.variable == variable);
    port.expect("a port of the table").usual
}

/// The name and version of each real server, for a comparison with what else names a version.
pub fn native_titles() -> Vec<&'static str> {
    let servers = PARTS.iter().filter_map(|part| part.native);
    servers.map(|server| server.title).collect()
}
