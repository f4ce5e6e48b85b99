use std::rc::Rc;
use std::time::Duration;

use google_cloud_auth::credentials::anonymous;
use google_cloud_pubsub::client::{Publisher, Subscriber, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::{DeadLetterPolicy, Message, Topic};
use otel_messaging::StoredContext;
use otel_messaging::pubsub::{Address, Consumer, Producer};
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

impl PubSub {
    /// A topic and its dead-letter topic, with a subscription to the latter alone.
    /// `retention`, as in `600s`, is how long the topic retains what is published to it.
    async fn create(host: &str, retention: Option<&str>) -> Self {
        let topic = unique("topic");
        let letters = dead_letters(&topic);
        create_topic(host, &topic, retention).await;
        create_topic(host, &letters, None).await;
        create_subscription(host, &letters, None).await;
        let address = Address {
            pubsub_emulator_host: Some(host.to_owned()),
            pubsub_project_id: PROJECT.to_owned(),
        };
        let producer = Producer::connect(&address, &topic).await.unwrap();
        Self {
            address,
            host: host.to_owned(),
            topic,
            producer,
            _stand_in: None,
        }
    }

    /// A second topic on the same server, which nobody has subscribed to.
    pub(crate) async fn unheard(&self, retention: Option<&str>) -> Rc<Self> {
        Rc::new(Self::create(&self.host, retention).await)
    }

    /// Creates the subscription, named as the topic.
    pub(crate) async fn subscribe(&self) {
        // Without a dead-letter policy Pub/Sub does not count attempts.
        let policy = DeadLetterPolicy::new()
            .set_dead_letter_topic(topic_path(&dead_letters(&self.topic)))
            .set_max_delivery_attempts(100);
        create_subscription(&self.host, &self.topic, Some(policy)).await;
    }
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
        let created = Self::create(&host, None).await;
        created.subscribe().await;
        Self {
            _stand_in: stand_in,
            ..created
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
        let letters = dead_letters(&self.topic);
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

async fn create_topic(host: &str, name: &str, retention: Option<&str>) {
    let topics = TopicAdmin::builder()
        .with_endpoint(format!("http://{host}"))
        .with_credentials(anonymous::Builder::new().build());
    let topics = topics.build().await.unwrap();
    let mut topic = Topic::new().set_name(topic_path(name));
    topic.message_retention_duration = retention.map(|time| time.try_into().unwrap());
    topics
        .create_topic()
        .with_request(topic)
        .send()
        .await
        .unwrap();
}

/// A subscription to the topic of the same name.
async fn create_subscription(host: &str, name: &str, policy: Option<DeadLetterPolicy>) {
    let subscriptions = SubscriptionAdmin::builder()
        .with_endpoint(format!("http://{host}"))
        .with_credentials(anonymous::Builder::new().build());
    let subscriptions = subscriptions.build().await.unwrap();
    subscriptions
        .create_subscription()
        .set_name(subscription_path(name))
        .set_topic(topic_path(name))
        .set_or_clear_dead_letter_policy(policy)
        .send()
        .await
        .unwrap();
}

fn dead_letters(topic: &str) -> String {
    format!("{topic}.dlq")
}

fn topic_path(name: &str) -> String {
    format!("projects/{PROJECT}/topics/{name}")
}

fn subscription_path(name: &str) -> String {
    format!("projects/{PROJECT}/subscriptions/{name}")
}
