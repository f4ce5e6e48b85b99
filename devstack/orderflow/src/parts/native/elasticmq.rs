//! ElasticMQ, which speaks SQS.

use std::fs;
use std::time::Duration;

use tokio::process::Command;

use super::java::{class_path, fetch_jars, quick_java};
use super::{Origin, Ready, Server, Site, nothing_to_set_up};
use crate::install::{Program, Recipe};
use crate::parts::{Part, address};
use crate::ports::Port;

/// The queues, and that messages are kept: the same file as in the containers.
const SETTINGS: &str = include_str!("../../../../../infra/elasticmq/elasticmq.conf");

pub(super) const SERVER: Server = Server {
    part: Part::Sqs,
    title: "ElasticMQ 1.7.1",
    origin: Origin::Made(Recipe {
        name: "elasticmq",
        files: &[(
            "pom.xml",
            include_str!("../../../../../infra/native/elasticmq/pom.xml"),
        )],
        made_with: &[Program::MAVEN],
        run_with: &[Program::JAVA],
        takes: "jars by Maven, less than a minute",
        make: fetch_jars,
    }),
    commands,
    // It takes requests before it has its queues.
    ready: Ready::Answers(|ports| {
        address::url(ports, Port::Sqs) + "/?Action=GetQueueUrl&QueueName=classification-jobs"
    }),
    set_up: nothing_to_set_up,
    // It waits until the last long poll is over, up to 20 seconds, whose client has gone by then; its messages are on disk.
    patience: Duration::from_secs(2),
};

fn commands(site: &Site) -> anyhow::Result<Vec<Command>> {
    fs::create_dir_all(&site.data)?;
    let settings = site.data.join("elasticmq.conf");
    fs::write(&settings, SETTINGS)?;
    let port = site.ports.of(Port::Sqs);
    let messages = site.data.join("messages");
    let mut server = quick_java(256);
    server
        .arg(format!("-Dconfig.file={}", settings.display()))
        // These win over the file.
        .arg("-Drest-sqs.bind-hostname=127.0.0.1")
        .arg(format!("-Drest-sqs.bind-port={port}"))
        .arg(format!(
            "-Dmessages-storage.uri=jdbc:h2:{}",
            messages.display()
        ))
        .args(["-cp", &class_path(&site.installed)?])
        .arg("org.elasticmq.server.Main");
    Ok(vec![server])
}
