use std::time::Duration;

use sqs::{QueueConfig, Queues};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::helpers::Server;

#[tokio::test]
async fn the_shutdown_closes_connections_that_clients_keep_open() {
    let server = Server::start().await;
    server.send("a").await;
    let receive = server.client.receive_message();
    let receive = receive.queue_url(&server.queue_url);
    server.shutdown.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), server.ended()).await;
    assert!(ended.is_ok());
    assert!(receive.send().await.is_err());
}

#[tokio::test]
async fn queues_that_cannot_be_are_named_at_the_start() {
    for (queue, complaint) in [
        (QueueConfig::new("a b"), "a b"),
        (QueueConfig::new("jobs").with_redrive("missing", 3), "jobs"),
        (QueueConfig::new("jobs").with_redrive("jobs", 0), "jobs"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let queues = Queues::new().with_queue(queue);
        let served = sqs::serve(listener, queues, CancellationToken::new()).await;
        assert!(served.unwrap_err().to_string().contains(complaint));
    }
}
