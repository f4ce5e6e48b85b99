//! The brokers in containers are told the same as those of the command, setting for setting.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use orderflow::topology;
use serde_json::Value;

use crate::repository;

/// Where the script finds the emulator that it has just started.
const PUBSUB_API: &str = "http://127.0.0.1:8085/v1/";

#[test]
fn kafka_gets_the_same_topics_with_as_many_partitions_and_the_same_settings() {
    let script = repository::read("infra/kafka/create-topics.sh");
    let created: Vec<_> = script
        .lines()
        .filter(|line| line.starts_with("create --"))
        .collect();
    let (setting, value) = topology::TOPIC_CONFIG;
    let expected = topology::TOPICS.map(|(topic, partitions)| {
        format!("create --topic {topic} --partitions {partitions} --config {setting}={value}")
    });
    assert_eq!(created, expected);
}

#[test]
fn sqs_gets_the_same_queues_and_gives_up_after_as_many_receives() {
    let mut written = flat(&repository::read("infra/elasticmq/elasticmq.conf"));
    written.retain(|name, _| name.starts_with("queues."));
    for queue in topology::queues() {
        let mut take = |setting: &str| written.remove(&format!("queues.{}{setting}", queue.name));
        assert!(take("").is_some(), "there is no queue {}", queue.name);
        // The default of ElasticMQ, as of AWS.
        let timeout = take(".defaultVisibilityTimeout").unwrap_or("30 seconds".to_owned());
        let seconds = queue.visibility_timeout.as_secs();
        assert_eq!(timeout, format!("{seconds} seconds"), "{}", queue.name);
        let redrive = take(".deadLettersQueue").map(|_block| {
            let settings = [".name", ".maxReceiveCount"];
            settings.map(|setting| take(&format!(".deadLettersQueue{setting}")))
        });
        let expected = queue.redrive.map(|redrive| {
            let count = redrive.max_receive_count.to_string();
            [Some(redrive.dead_letter_queue), Some(count)]
        });
        assert_eq!(redrive, expected, "{}", queue.name);
    }
    assert!(written.is_empty(), "the command has no {written:?}");
}

/// The settings and blocks of a configuration by their full names, as far as HOCON is used here: one on each line.
fn flat(configuration: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut blocks = Vec::new();
    let lines = configuration.lines().map(str::trim);
    for line in lines.filter(|line| !line.starts_with('#')) {
        if line == "}" {
            blocks.pop();
        } else if let Some((name, value)) = line.split_once(' ') {
            blocks.push(name);
            let value = value.trim_start_matches("= ").trim_matches('"');
            found.insert(blocks.join("."), value.to_owned());
            if value != "{" {
                blocks.pop();
            }
        }
    }
    found
}

#[test]
fn pubsub_gets_the_same_topics_and_subscriptions() {
    let created: BTreeMap<String, Value> = requests_of_the_script().into_iter().collect();
    let expected: BTreeMap<String, Value> = topology::creations().into_iter().collect();
    assert_eq!(created, expected);
}

/// What the script asks the emulator to create: it is run with a `curl` that only tells how it was called.
fn requests_of_the_script() -> Vec<(String, Value)> {
    let programs = tempfile::tempdir().expect("a folder");
    for (name, script) in [
        ("gcloud", "#!/bin/sh\n"),
        ("curl", "#!/bin/sh\nprintf '%s\\n' \"$@\" --next\n"),
    ] {
        let program = programs.path().join(name);
        fs::write(&program, script).expect("a file");
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("a program");
    }
    let output = Command::new("bash")
        .arg(repository::path("infra/pubsub/start.sh"))
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", programs.path().display()),
        )
        .output()
        .expect("bash");
    assert!(output.status.success(), "{output:?}");
    let words = String::from_utf8(output.stdout).expect("text");
    let words: Vec<&str> = words.lines().collect();
    words
        .split(|word| *word == "--next")
        .filter(|request| request.contains(&"PUT"))
        .map(parse)
        .collect()
}

/// The full name of what a PUT creates, and its body.
fn parse(request: &[&str]) -> (String, Value) {
    let mut words = request.iter();
    let name = words.clone().find_map(|word| word.strip_prefix(PUBSUB_API));
    let body = words.find(|word| **word == "--data").and(words.next());
    let body = body.expect("a PUT has a body");
    (
        name.expect("a PUT has an address").to_owned(),
        serde_json::from_str(body).expect("the body is JSON"),
    )
}
