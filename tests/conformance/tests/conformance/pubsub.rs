use std::time::Duration;

use google_cloud_auth::credentials::anonymous;
use google_cloud_pubsub::client::{Publisher, Subscriber, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::{DeadLetterPolicy, Message};
use messaging::StoredContext;
use messaging::pubsub::{Address, Consumer, Producer};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::broker::{Broker, DeadLetter, Event, settings, unique};
use crate::handler::Scripted;

const PROJECT: &str = "conformance";

pub(crate) struct PubSub {
    address: Address,
    host: String,
    topic: String,
    producer: Producer,
    _stand_in: Option<DropGuard>,
}

impl Broker for PubSub {
    const PART: &'static str = "pubsub";
    const ADDRESS: &'static str = "PUBSUB_EMULATOR_HOST";
    const SYSTEM: &'static str = "gcp_pubsub";
    const RECEIVES_BATCHES: bool = false;

    async fn start(address: Option<String>) -> Self {
        let (host, stand_in) = match address {
            Some(host) => (host, None),
            None => stand_in().await,
        };
        let topic = unique("topic");
        create(&format!("http://{host}"), &topic).await;
        let address = Address {
            pubsub_emulator_host: Some(host.clone()),
            pubsub_project_id: PROJECT.to_owned(),
        };
        let producer = Producer::connect(&address, &topic).await.unwrap();
        Self {
            address,
            host,
            topic,
            producer,
            _stand_in: stand_in,
        }
    }

    fn destination(&self) -> &str {
        &self.topic
    }

    async fn send(&self, event: &Event) {
        self.producer.send(event).await.unwrap();
    }

    async fn send_from(&self, context: &StoredContext, event: &Event) {
        self.producer.send_from(context, event).await.unwrap();
    }

    async fn send_foreign(&self, payload: &str) {
        let publisher = Publisher::builder(topic_path(&self.topic))
            .with_endpoint(format!("http://{}", self.host))
            .with_credentials(anonymous::Builder::new().build())
            .build()
            .await
            .unwrap();
        publisher
            .publish(Message::new().set_data(payload.to_owned()))
            .await
            .unwrap();
    }

    async fn consume(&self, handler: Scripted, shutdown: CancellationToken) {
        let consumer =
            Consumer::connect(&self.address, &settings(), &self.topic, &self.topic).await;
        consumer.unwrap().run(handler, shutdown).await;
    }

    async fn next_dead_letter(&self) -> DeadLetter {
        let subscriber = Subscriber::builder()
            .with_endpoint(format!("http://{}", self.host))
            .with_credentials(anonymous::Builder::new().build())
            .build()
            .await
            .unwrap();
        let letters = format!("{}.dlq", self.topic);
        let mut stream = subscriber
            .subscribe(subscription_path(&letters))
            .set_max_lease_extension(Duration::from_secs(10))
            .build();
        let (letter, receipt) = stream.next().await.unwrap().unwrap();
        receipt.ack();
        stream.shutdown_token().shutdown().await;
        DeadLetter {
            payload: String::from_utf8(letter.data.to_vec()).unwrap(),
            reason: letter.attributes["orderflow-dead-letter-reason"].clone(),
        }
    }
}

async fn stand_in() -> (String, Option<DropGuard>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let shutdown = CancellationToken::new();
    let server = pubsub::serve(listener, pubsub::Resources::default(), shutdown.clone());
    #[expect(
        clippy::disallowed_methods,
        reason = "the stand-in lives as long as the test"
    )]
    tokio::spawn(server);
    (host, Some(shutdown.drop_guard()))
}

/// The topic, its dead-letter topic, and a subscription of the same name to each.
async fn create(endpoint: &str, topic: &str) {
    let credentials = anonymous::Builder::new().build();
    let topics = TopicAdmin::builder()
        .with_endpoint(endpoint)
        .with_credentials(credentials.clone());
    let topics = topics.build().await.unwrap();
    let subscriptions = SubscriptionAdmin::builder()
        .with_endpoint(endpoint)
        .with_credentials(credentials);
    let subscriptions = subscriptions.build().await.unwrap();
    let letters = format!("{topic}.dlq");
    for name in [topic, &letters] {
        topics
            .create_topic()
            .set_name(topic_path(name))
            .send()
            .await
            .unwrap();
    }
    // Without a dead-letter policy Pub/Sub does not count attempts.
    let policy = DeadLetterPolicy::new()
        .set_dead_letter_topic(topic_path(&letters))
        .set_max_delivery_attempts(100);
    let create = |name: &str| {
        let name = (subscription_path(name), topic_path(name));
        subscriptions
            .create_subscription()
            .set_name(name.0)
            .set_topic(name.1)
    };
    create(topic)
        .set_dead_letter_policy(policy)
        .send()
        .await
        .unwrap();
    create(&letters).send().await.unwrap();
}

fn topic_path(name: &str) -> String {
    format!("projects/{PROJECT}/topics/{name}")
}

fn subscription_path(name: &str) -> String {
    format!("projects/{PROJECT}/subscriptions/{name}")
}
