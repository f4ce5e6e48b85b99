use aws_sdk_sqs::types::QueueAttributeName;

use crate::helpers::Server;

#[tokio::test]
async fn queue_urls_lead_back_to_the_host_that_was_asked() {
    let server = Server::start().await;
    let got = server
        .client
        .get_queue_url()
        .queue_name("jobs")
        .send()
        .await;
    assert_eq!(got.unwrap().queue_url(), Some(server.queue_url.as_str()));
}

#[tokio::test]
async fn lists_queues_by_prefix_and_in_pages() {
    let server = Server::start().await;
    for name in ["other-1", "other-2", "other-3"] {
        server
            .client
            .create_queue()
            .queue_name(name)
            .send()
            .await
            .unwrap();
    }
    let list = || server.client.list_queues().queue_name_prefix("other-");
    assert_eq!(list().send().await.unwrap().queue_urls().len(), 3);
    let first = list().max_results(2).send().await.unwrap();
    assert_eq!(first.queue_urls().len(), 2);
    let second = list().max_results(2).set_next_token(first.next_token);
    let second = second.send().await.unwrap();
    assert_eq!(second.queue_urls().len(), 1);
    assert_eq!(second.next_token(), None);
}

#[tokio::test]
async fn creating_a_queue_again_with_other_attributes_is_refused() {
    let server = Server::start().await;
    let create = || server.client.create_queue().queue_name("jobs");
    assert!(create().send().await.is_ok());
    let other = create().attributes(QueueAttributeName::VisibilityTimeout, "7");
    let error = other.send().await.unwrap_err().into_service_error();
    assert!(error.is_queue_name_exists());
}

#[tokio::test]
async fn a_deleted_queue_takes_its_messages_with_it() {
    let server = Server::start().await;
    server.send("a").await;
    let delete = server.client.delete_queue().queue_url(&server.queue_url);
    delete.send().await.unwrap();
    let error = server.client.create_queue().queue_name("jobs").send().await;
    let error = error.unwrap_err().into_service_error();
    assert!(error.is_queue_deleted_recently());
}

#[tokio::test]
async fn attributes_are_set_and_counted() {
    let server = Server::start().await;
    let set = server
        .client
        .set_queue_attributes()
        .queue_url(&server.queue_url);
    let set = set.attributes(QueueAttributeName::DelaySeconds, "60");
    server.send("ready").await;
    server.send("in flight").await;
    server.receive().await.unwrap();
    set.send().await.unwrap();
    server.send("delayed").await;
    let attributes = server.attributes().await;
    assert_eq!(attributes[&QueueAttributeName::DelaySeconds], "60");
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "30");
    assert_eq!(
        attributes[&QueueAttributeName::QueueArn],
        "arn:aws:sqs:us-east-1:000000000000:jobs"
    );
    for counted in [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ] {
        assert_eq!(attributes[&counted], "1", "{counted}");
    }
}

#[tokio::test]
async fn unknown_and_impossible_attributes_are_refused() {
    let server = Server::start().await;
    let set = || {
        server
            .client
            .set_queue_attributes()
            .queue_url(&server.queue_url)
    };
    let unknown = set()
        .attributes(QueueAttributeName::QueueArn, "x")
        .send()
        .await;
    assert!(
        unknown
            .unwrap_err()
            .into_service_error()
            .is_invalid_attribute_name()
    );
    let impossible = set()
        .attributes(QueueAttributeName::DelaySeconds, "x")
        .send()
        .await;
    assert!(
        impossible
            .unwrap_err()
            .into_service_error()
            .is_invalid_attribute_value()
    );
}

#[tokio::test]
async fn tags_are_kept_and_taken_away() {
    let server = Server::start().await;
    let (client, url) = (&server.client, &server.queue_url);
    let tag = client.tag_queue().queue_url(url);
    tag.tags("team", "orders")
        .tags("tier", "gold")
        .send()
        .await
        .unwrap();
    client
        .untag_queue()
        .queue_url(url)
        .tag_keys("tier")
        .send()
        .await
        .unwrap();
    let tags = client
        .list_queue_tags()
        .queue_url(url)
        .send()
        .await
        .unwrap();
    let tags = tags.tags.unwrap();
    assert_eq!(tags.len(), 1);
    assert_eq!(tags["team"], "orders");
}
