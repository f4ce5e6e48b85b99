//! The servers that run as processes are those that run in containers: in the manifests that they are fetched by, and on
//! the screen.

use crate::compose::Compose;
use crate::repository;

/// Jaeger's releases of version 1 and of version 2 are the same commits, and their second numbers this far apart.
const JAEGER_V1_AHEAD: u32 = 63;

/// A server in an image and as a process.
struct Server {
    image: &'static str,
    /// What precedes the version on the screen.
    title: &'static str,
    manifest: &'static str,
    /// How the manifest names a version.
    pinned: fn(&str) -> String,
}

const SERVERS: [Server; 4] = [
    Server {
        image: "apache/kafka",
        title: "Apache Kafka",
        manifest: "kafka/pom.xml",
        pinned: |version| artifact("kafka_2.13", version),
    },
    Server {
        image: "softwaremill/elasticmq",
        title: "ElasticMQ",
        manifest: "elasticmq/pom.xml",
        pinned: |version| artifact("elasticmq-server_2.13", version),
    },
    Server {
        image: "jaegertracing/jaeger",
        title: "Jaeger",
        manifest: "jaeger/go.mod",
        pinned: |version| format!("\tgithub.com/jaegertracing/jaeger {} ", v1(version)),
    },
    Server {
        image: "maildev/maildev",
        title: "MailDev",
        manifest: "maildev/package.json",
        pinned: |version| format!("\"maildev\": \"{version}\""),
    },
];

fn artifact(name: &str, version: &str) -> String {
    format!("<artifactId>{name}</artifactId><version>{version}</version>")
}

/// `v1.76.0`, which is `2.13.0`.
fn v1(version: &str) -> String {
    let numbers: Vec<u32> = version
        .split('.')
        .map(|number| number.parse().expect("a number"))
        .collect();
    let [2, minor, patch] = numbers[..] else {
        panic!("{version} is no version 2")
    };
    format!("v1.{}.{patch}", minor + JAEGER_V1_AHEAD)
}

#[test]
fn a_server_is_fetched_in_the_version_of_its_image() {
    let compose = Compose::read();
    for server in SERVERS {
        let pinned = (server.pinned)(&compose.version_of(server.image));
        let path = format!("infra/native/{}", server.manifest);
        let manifest = repository::read(&path).replace("\n      ", "");
        assert!(manifest.contains(&pinned), "{path} has no {pinned}");
    }
}

#[test]
fn a_server_is_shown_with_the_version_of_its_image() {
    let compose = Compose::read();
    let titles = orderflow::native_titles();
    for server in SERVERS {
        let title = format!("{} {}", server.title, compose.version_of(server.image));
        assert!(titles.contains(&&*title), "{title} is none of {titles:?}");
    }
    let others = titles.len() - SERVERS.len();
    assert_eq!(
        others, 2,
        "Pub/Sub's emulator alone has no version, and VictoriaLogs no image"
    );
}
