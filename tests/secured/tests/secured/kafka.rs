//! Apache Kafka that takes TLS alone, and wants to know who one is, by each mechanism there is.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use domain::events::{OrderCreated, OrderEnded};
use lifeline::Lifeline;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::certificates::Certificates;
use crate::process::{Process, free_port, installed};

const TOPICS: [&str; 4] = [
    OrderCreated::TOPIC,
    OrderCreated::DEAD_LETTERS,
    OrderEnded::TOPIC,
    OrderEnded::DEAD_LETTERS,
];

pub(crate) struct Kafka {
    _process: Process,
    /// Of the door with TLS and SASL.
    pub(crate) port: u16,
}

impl Kafka {
    pub(crate) async fn start(
        folder: &Path,
        certificates: &Certificates,
        lifeline: &Lifeline,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let (port, inside, controller) = (free_port()?, free_port()?, free_port()?);
        let properties = folder.join("server.properties");
        let text = include_str!("server.properties")
            .replace("{data}", &folder.display().to_string())
            .replace("{keystore}", &certificates.file("keystore.pem"))
            .replace("{secured}", &port.to_string())
            .replace("{inside}", &inside.to_string())
            .replace("{controller}", &controller.to_string());
        fs::write(&properties, text)?;
        let mut format = java()?;
        format
            .args(["kafka.tools.StorageTool", "format"])
            .args(["--cluster-id", "b3JkZXJmbG93LXNlY3VyZQ", "--config"])
            .arg(&properties)
            .args([
                "--add-scram",
                "SCRAM-SHA-256=[name=email,password=email-secret]",
            ])
            .args([
                "--add-scram",
                "SCRAM-SHA-512=[name=orders,password=orders-secret]",
            ]);
        let formatted = format.output().context("java")?;
        ensure!(
            formatted.status.success(),
            "{}",
            String::from_utf8_lossy(&formatted.stderr)
        );
        let mut server = java()?;
        server.arg("kafka.Kafka").arg(&properties);
        let mut process = Process::start("kafka", &server, folder, lifeline)?;
        process.listens(inside).await?;
        create_topics(inside).await?;
        Ok(Self {
            _process: process,
            port,
        })
    }
}

fn java() -> anyhow::Result<Command> {
    let mut java = Command::new("java");
    java.args(["-Xmx512m", "-XX:+UseSerialGC", "-cp"])
        .arg(installed("kafka")?.join("jars/*"));
    Ok(java)
}

async fn create_topics(port: u16) -> anyhow::Result<()> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", format!("127.0.0.1:{port}"));
    let admin: AdminClient<DefaultClientContext> = config.create()?;
    let topics = TOPICS.map(|topic| NewTopic::new(topic, 1, TopicReplication::Fixed(1)));
    for created in admin.create_topics(&topics, &AdminOptions::new()).await? {
        created.map_err(|(topic, code)| anyhow::anyhow!("creating {topic}: {code}"))?;
    }
    Ok(())
}
