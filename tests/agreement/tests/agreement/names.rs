//! Topics, queues and subscriptions: the brokers are told the names that the services use.

use domain::{ClassificationJob, OrderClassified, OrderCreated, OrderEnded};
use orderflow::topology;

#[test]
fn kafka_has_the_topics() {
    let names = topology::TOPICS.map(|(name, _)| name);
    let expected = [
        OrderCreated::TOPIC,
        OrderCreated::DEAD_LETTERS,
        OrderEnded::TOPIC,
        OrderEnded::DEAD_LETTERS,
    ];
    assert_eq!(names, expected);
}

#[test]
fn sqs_has_the_queues() {
    let names = topology::queues().map(|queue| queue.name);
    let expected = [ClassificationJob::QUEUE, ClassificationJob::DEAD_LETTERS];
    assert_eq!(names, expected);
}

#[test]
fn pubsub_has_the_topic_and_its_subscription() {
    let (topic, letters) = (
        OrderClassified::TOPIC.to_owned(),
        OrderClassified::DEAD_LETTERS.to_owned(),
    );
    let subscriptions = [
        (OrderClassified::SUBSCRIPTION.to_owned(), &topic),
        (letters.clone(), &letters),
    ];
    let resources = topology::resources();
    let created = resources.subscriptions.iter();
    let created: Vec<_> = created
        .map(|subscription| (subscription.id.clone(), &subscription.topic))
        .collect();
    assert_eq!(created, subscriptions);
    assert_eq!(resources.topics, [topic, letters]);
}
