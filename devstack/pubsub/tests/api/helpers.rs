//! A server of its own for each test, and clients for it.

use std::time::Duration;

use google_cloud_auth::credentials::{Credentials, anonymous};
use google_cloud_pubsub::client::{Publisher, Subscriber, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::Message;
use google_cloud_pubsub::subscriber::MessageStream;
use google_cloud_pubsub::subscriber::handler::Handler;
use pubsub::{DeadLetterPolicy, Resources, RetryPolicy, Subscription};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Long enough for a busy machine; a test that needs it all has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const TOPIC: &str = "projects/orderflow/topics/order.classified";
pub(crate) const ORDERS: &str = "projects/orderflow/subscriptions/orders";
pub(crate) const EMAIL: &str = "projects/orderflow/subscriptions/email";
pub(crate) const DEAD_LETTERS: &str = "projects/orderflow/subscriptions/order.classified.dlq";

/// Stops when it is dropped.
pub(crate) struct TestServer {
    pub(crate) port: u16,
    shutdown: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_on(0).await
    }

    pub(crate) async fn start_on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(pubsub::serve(listener, resources(), shutdown.clone()));
        Self {
            port,
            shutdown,
            tasks,
        }
    }

    /// Stops the server and waits until its port is free.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        let stopped = self.tasks.join_next();
        in_time(stopped).await.unwrap().unwrap().unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn publisher(&self, topic: &str) -> Publisher {
        Publisher::builder(topic)
            .with_endpoint(self.url())
            .with_credentials(anonymous())
            .build()
            .await
            .unwrap()
    }

    pub(crate) async fn subscriber(&self) -> Subscriber {
        Subscriber::builder()
            .with_endpoint(self.url())
            .with_credentials(anonymous())
            .build()
            .await
            .unwrap()
    }

    pub(crate) async fn subscribe(&self, subscription: &str) -> MessageStream {
        self.subscriber().await.subscribe(subscription).build()
    }

    pub(crate) async fn topics(&self) -> TopicAdmin {
        TopicAdmin::builder()
            .with_endpoint(self.url())
            .with_credentials(anonymous())
            .build()
            .await
            .unwrap()
    }

    pub(crate) async fn subscriptions(&self) -> SubscriptionAdmin {
        SubscriptionAdmin::builder()
            .with_endpoint(self.url())
            .with_credentials(anonymous())
            .build()
            .await
            .unwrap()
    }

    pub(crate) async fn publish(&self, data: &str) {
        let publisher = self.publisher(TOPIC).await;
        publisher.publish(message(data)).await.unwrap();
    }
}

pub(crate) fn message(data: &str) -> Message {
    Message::new().set_data(data.to_owned())
}

pub(crate) async fn next(stream: &mut MessageStream) -> (Message, Handler) {
    in_time(stream.next()).await.unwrap().unwrap()
}

/// Fails the test instead of hanging it.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("what the test waits for should have happened by now")
}

fn anonymous() -> Credentials {
    anonymous::Builder::new().build()
}

fn resources() -> Resources {
    let topic = "order.classified".to_owned();
    let dead_letter = "order.classified.dlq".to_owned();
    let consumer = |id: &str| Subscription {
        id: id.to_owned(),
        topic: topic.clone(),
        ack_deadline: Duration::from_secs(10),
        dead_letter_policy: Some(DeadLetterPolicy {
            topic: dead_letter.clone(),
            max_delivery_attempts: 5,
        }),
        retry_policy: Some(RetryPolicy {
            minimum_backoff: Duration::from_millis(10),
            maximum_backoff: Duration::from_millis(50),
        }),
    };
    let dead_letters = Subscription {
        topic: dead_letter.clone(),
        dead_letter_policy: None,
        ..consumer("order.classified.dlq")
    };
    Resources {
        project: "orderflow".to_owned(),
        topics: vec![topic.clone(), dead_letter.clone()],
        subscriptions: vec![consumer("orders"), consumer("email"), dead_letters],
    }
}
