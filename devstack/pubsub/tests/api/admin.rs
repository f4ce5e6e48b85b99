use google_cloud_pubsub::Error;

use crate::helpers::{ORDERS, TOPIC, TestServer, message, next};

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
async fn a_topic_is_created_listed_and_deleted() {
    let server = TestServer::start().await;
    let topics = server.topics().await;
    let name = "projects/other/topics/created";

    topics.create_topic().set_name(name).send().await.unwrap();
    let again = topics.create_topic().set_name(name).send().await;
    assert_eq!(code(&again.unwrap_err()), "ALREADY_EXISTS");
    let list = topics.list_topics().set_project("projects/other");
    let listed = list.send().await.unwrap().topics;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, name);

    topics.delete_topic().set_topic(name).send().await.unwrap();
    let gone = topics.get_topic().set_topic(name).send().await;
    assert_eq!(code(&gone.unwrap_err()), "NOT_FOUND");
}

#[tokio::test]
async fn a_subscription_that_a_client_created_gets_what_its_filter_admits() {
    let server = TestServer::start().await;
    let name = "projects/orderflow/subscriptions/red.only";
    server
        .subscriptions()
        .await
        .create_subscription()
        .set_name(name)
        .set_topic(TOPIC)
        .set_filter(r#"attributes.colour = "red""#)
        .send()
        .await
        .unwrap();
    let mut stream = server.subscribe(name).await;
    let publisher = server.publisher(TOPIC).await;

    for colour in ["blue", "red"] {
        let coloured = message(colour).set_attributes([("colour", colour)]);
        publisher.publish(coloured).await.unwrap();
    }

    assert_eq!(next(&mut stream).await.0.data, "red");
}

#[tokio::test]
async fn a_subscription_outlives_its_topic() {
    let server = TestServer::start().await;
    server.publish("kept").await;

    let topics = server.topics().await;
    topics.delete_topic().set_topic(TOPIC).send().await.unwrap();

    let subscriptions = server.subscriptions().await;
    let get = subscriptions.get_subscription().set_subscription(ORDERS);
    assert_eq!(get.send().await.unwrap().topic, "_deleted-topic_");
    let mut orders = server.subscribe(ORDERS).await;
    assert_eq!(next(&mut orders).await.0.data, "kept");
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

#[tokio::test]
async fn lists_come_in_pages() {
    let server = TestServer::start().await;
    let subscriptions = server.subscriptions().await;
    let list = subscriptions
        .list_subscriptions()
        .set_project("projects/orderflow")
        .set_page_size(2);

    let first = list.clone().send().await.unwrap();
    let token = first.next_page_token;
    let second = list.set_page_token(token).send().await.unwrap();

    let names: Vec<String> = first
        .subscriptions
        .into_iter()
        .chain(second.subscriptions)
        .map(|subscription| subscription.name.rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["email", "order.classified.dlq", "orders"]);
    assert_eq!(second.next_page_token, "");
}
