//! Apache Kafka 4: one process that is broker and controller (`KRaft`).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::process::Command;

use super::java::{class_path, fetch_jars, java};
use super::{DRAIN_LIMIT, Origin, Ready, Server, Site};
use crate::install::{Program, Recipe};
use crate::parts::{Part, address};
use crate::ports::{Port, Ports};
use crate::topology;

/// Any would do, as long as it stays the same: 16 bytes in URL-safe base64.
const CLUSTER_ID: &str = "b3JkZXJmbG93LW5hdGl2ZQ";

const SETTINGS: &str = include_str!("../../../../../infra/native/kafka/server.properties");

pub(super) const SERVER: Server = Server {
    part: Part::Kafka,
    title: "Apache Kafka 4.3.1",
    origin: Origin::Made(Recipe {
        name: "kafka",
        files: &[(
            "pom.xml",
            include_str!("../../../../../infra/native/kafka/pom.xml"),
        )],
        made_with: &[Program::MAVEN],
        run_with: &[Program::JAVA],
        takes: "jars by Maven, less than a minute",
        make: fetch_jars,
    }),
    commands,
    ready: Ready::Listens(|ports| address::host(ports, Port::Kafka)),
    set_up: create_topics,
    patience: DRAIN_LIMIT,
};

fn create_topics(ports: &Ports) -> BoxFuture<'_, anyhow::Result<()>> {
    async { topology::create_topics(&address::host(ports, Port::Kafka)).await }.boxed()
}

/// Writes the settings for this start; before the first one, Kafka has to format its folder.
fn commands(site: &Site) -> anyhow::Result<Vec<Command>> {
    fs::create_dir_all(&site.data)?;
    let file = site.data.join("server.properties");
    fs::write(&file, settings(&site.data, &site.ports))
        .with_context(|| format!("writing {}", file.display()))?;
    let mut server = program(site, "kafka.Kafka")?;
    server.arg(&file);
    if logs(&site.data).join("meta.properties").exists() {
        return Ok(vec![server]);
    }
    let mut format = program(site, "kafka.tools.StorageTool")?;
    format
        .args(["format", "--cluster-id", CLUSTER_ID, "--config"])
        .arg(&file);
    Ok(vec![format, server])
}

fn program(site: &Site, class: &str) -> anyhow::Result<Command> {
    let mut command = java(512);
    command
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .args(["-cp", &class_path(&site.installed)?, class]);
    Ok(command)
}

fn settings(data: &Path, ports: &Ports) -> String {
    let [broker, controller] =
        [Port::Kafka, Port::KafkaController].map(|port| address::host(ports, port));
    // A list of voters in the file, rather than one that Kafka keeps, follows a controller whose port has changed.
    format!(
        "{SETTINGS}\n\
         # For this start.\n\
         log.dirs={}\n\
         listeners=BROKER://{broker},CONTROLLER://{controller}\n\
         advertised.listeners=BROKER://{broker}\n\
         controller.quorum.voters=1@{controller}\n",
        logs(data).display()
    )
}

/// Kafka calls the folders of its partitions logs.
fn logs(data: &Path) -> PathBuf {
    data.join("logs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::tests::default_ports;

    fn site() -> (Site, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let site = Site {
            installed: folder.path().join("installed"),
            data: folder.path().join("data"),
            ports: default_ports(),
        };
        fs::create_dir_all(site.installed.join("jars")).unwrap();
        fs::write(site.installed.join("jars/kafka.jar"), "").unwrap();
        (site, folder)
    }

    #[test]
    fn the_settings_name_the_ports_of_this_start_on_loopback_only() {
        let text = settings(Path::new("/data"), &default_ports());
        assert!(
            text.contains("\nlisteners=BROKER://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n"),
            "{text}"
        );
        assert!(text.contains("\nlog.dirs=/data/logs\n"), "{text}");
    }

    #[test]
    fn the_folder_is_formatted_before_the_first_start_and_never_again() {
        let (site, _folder) = site();
        assert_eq!(commands(&site).unwrap().len(), 2);
        fs::create_dir_all(logs(&site.data)).unwrap();
        fs::write(logs(&site.data).join("meta.properties"), "").unwrap();
        assert_eq!(commands(&site).unwrap().len(), 1);
    }
}
