use google_cloud_pubsub::Error;
use google_cloud_pubsub::model::DeadLetterPolicy;

use crate::helpers::{ORDERS, TOPIC, TestServer, next};

fn code(error: &Error) -> &str {
    error.status().unwrap().code.name()
}

#[tokio::test]
async fn what_was_set_up_at_the_start_is_there() {
    let server = TestServer::start().await;

    let orders = server
        .subscriptions()
        .await
        .get_subscription()
        .set_subscription(ORDERS)
        .send()
        .await
        .unwrap();

    assert_eq!(orders.topic, TOPIC);
    assert_eq!(orders.ack_deadline_seconds, 10);
    let policy = orders.dead_letter_policy.unwrap();
    assert_eq!(policy.max_delivery_attempts, 5);
    assert!(
        policy
            .dead_letter_topic
            .ends_with("/topics/order.classified.dlq")
    );
}

#[tokio::test]
async fn a_topic_is_created_once() {
    let server = TestServer::start().await;
    let topics = server.topics().await;
    let name = "projects/other/topics/created";
    let absent = topics.get_topic().set_topic(name).send().await;
    assert_eq!(code(&absent.unwrap_err()), "NOT_FOUND");

    topics.create_topic().set_name(name).send().await.unwrap();

    let again = topics.create_topic().set_name(name).send().await;
    assert_eq!(code(&again.unwrap_err()), "ALREADY_EXISTS");
    let there = topics.get_topic().set_topic(name).send().await;
    assert_eq!(there.unwrap().name, name);
}

#[tokio::test]
async fn a_subscription_that_a_client_created_gets_what_is_published_afterwards() {
    let server = TestServer::start().await;
    server.publish("before").await;
    let name = "projects/orderflow/subscriptions/audit";
    let subscriptions = server.subscriptions().await;
    let create = subscriptions.create_subscription().set_name(name);
    create.set_topic(TOPIC).send().await.unwrap();

    server.publish("after").await;

    let mut audit = server.subscribe(name).await;
    assert_eq!(next(&mut audit).await.0.data, "after");
}

#[tokio::test]
async fn a_subscription_needs_its_topics() {
    let server = TestServer::start().await;
    let missing = "projects/orderflow/topics/missing";
    let subscriptions = server.subscriptions().await;
    let create = subscriptions
        .create_subscription()
        .set_name("projects/orderflow/subscriptions/audit");
    let policy = DeadLetterPolicy::new().set_dead_letter_topic(missing);

    let without_topic = create.clone().set_topic(missing).send().await;
    let without_letters = create.set_topic(TOPIC).set_dead_letter_policy(policy);

    assert_eq!(code(&without_topic.unwrap_err()), "NOT_FOUND");
    let refused = without_letters.send().await.unwrap_err();
    assert_eq!(code(&refused), "NOT_FOUND");
}

#[tokio::test]
async fn a_setting_that_does_nothing_here_is_refused_by_its_name() {
    let server = TestServer::start().await;
    let subscriptions = server.subscriptions().await;
    let create = subscriptions
        .create_subscription()
        .set_name("projects/orderflow/subscriptions/red.only")
        .set_topic(TOPIC)
        .set_filter(r#"attributes.colour = "red""#);

    let refused = create.send().await.unwrap_err();

    assert_eq!(code(&refused), "INVALID_ARGUMENT");
    assert!(refused.to_string().contains("`filter`"), "{refused}");
}

#[tokio::test]
async fn a_stream_ends_when_its_subscription_is_deleted() {
    let server = TestServer::start().await;
    let mut orders = server.subscribe(ORDERS).await;
    server.publish("open").await;
    next(&mut orders).await.1.ack();

    let subscriptions = server.subscriptions().await;
    let delete = subscriptions.delete_subscription();
    delete.set_subscription(ORDERS).send().await.unwrap();

    let end = crate::helpers::in_time(orders.next()).await.unwrap();
    assert_eq!(code(&end.unwrap_err()), "NOT_FOUND");
}
