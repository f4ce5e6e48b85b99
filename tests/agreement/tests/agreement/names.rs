//! Topics, queues and subscriptions: the servers are told the names that the services use.

use domain::{ClassificationJob, OrderClassified, OrderCreated};

use crate::repository;

#[test]
fn kafka_has_the_topics() {
    let script = repository::read("infra/kafka/create-topics.sh");
    for topic in [
        OrderCreated::TOPIC.to_owned(),
        format!("{}.dlt", OrderCreated::TOPIC),
    ] {
        assert!(script.contains(&format!("--topic {topic} ")), "{topic}");
    }
}

#[test]
fn sqs_has_the_queues() {
    let config = repository::read("infra/elasticmq/elasticmq.conf");
    let queue = ClassificationJob::QUEUE;
    for line in [
        format!("{queue} {{"),
        format!("{queue}-dlq {{}}"),
        format!("name = \"{queue}-dlq\""),
    ] {
        assert!(config.lines().any(|found| found.trim() == line), "{line}");
    }
}

#[test]
fn pubsub_has_the_topic_and_its_subscriptions() {
    let script = repository::read("infra/pubsub/start.sh");
    let topic = OrderClassified::TOPIC;
    let subscriptions = [
        OrderClassified::ORDERS_SUBSCRIPTION,
        OrderClassified::EMAIL_SUBSCRIPTION,
    ];
    let mut lines = vec![
        format!("topic {topic}"),
        format!("subscription {topic}.dlq {topic}.dlq"),
    ];
    lines.extend(subscriptions.map(|id| format!("subscription {id} {topic} \"$dead_letters\"")));
    for line in lines {
        assert!(script.lines().any(|found| found == line), "{line}");
    }
}
