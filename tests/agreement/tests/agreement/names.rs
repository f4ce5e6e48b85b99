//! Topics, queues and subscriptions: the brokers are told the names that the services use.

use domain::{ClassificationJob, OrderClassified, OrderCreated};
use orderflow::topology;

#[test]
fn kafka_has_the_topics() {
    let topic = OrderCreated::TOPIC;
    let names = topology::TOPICS.map(|(name, _)| name.to_owned());
    assert_eq!(names, [topic.to_owned(), format!("{topic}.dlt")]);
}

#[test]
fn sqs_has_the_queues() {
    let queue = ClassificationJob::QUEUE;
    let names = topology::queues().map(|queue| queue.name);
    assert_eq!(names, [queue.to_owned(), format!("{queue}-dlq")]);
}

#[test]
fn pubsub_has_the_topic_and_its_subscriptions() {
    let (topic, letters) = (
        OrderClassified::TOPIC.to_owned(),
        format!("{}.dlq", OrderClassified::TOPIC),
    );
    let subscriptions = [
        (OrderClassified::ORDERS_SUBSCRIPTION.to_owned(), &topic),
        (OrderClassified::EMAIL_SUBSCRIPTION.to_owned(), &topic),
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
