use std::rc::Rc;
use std::time::Duration;

use google_cloud_auth::credentials::anonymous;
use google_cloud_pubsub::client::{Publisher, Subscriber, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::{DeadLetterPolicy, Message, RetryPolicy, Subscription, Topic};
use otel_messaging::pubsub::{Client, Producer};
use otel_messaging::{Outgoing, ReceiveError, Settings, stack};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::broker::{Broker, DeadLetter, Event, Work, run, unique};

const PROJECT: &str = "conformance";

pub(crate) struct PubSub {
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
        create_subscription(host, subscription(&letters)).await;
        let client = Client::connect_emulator(host, PROJECT).await.unwrap();
        Self {
            producer: client.producer(&topic).await.unwrap(),
            host: host.to_owned(),
            topic,
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
        let subscription = subscription(&self.topic)
            .set_dead_letter_policy(policy)
            .set_retry_policy(retry_policy());
        create_subscription(&self.host, subscription).await;
    }
}

impl Broker for PubSub {
    const PART: &'static str = "pubsub";
    const ADDRESS: &'static str = "PUBSUB_EMULATOR_HOST";
    const SYSTEM: &'static str = "gcp_pubsub";
    const RECEIVES_BATCHES: bool = false;
    // Pub/Sub takes 10 MB with the attributes, of which a letter has more.
    const TOO_LARGE_FOR_A_LETTER: usize = 10_000_000 - 100;

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

    /// Without a dead-letter policy: the emulator ends the stream of a subscription that has both.
    async fn in_order(self: &Rc<Self>) -> Rc<Self> {
        let ordered = Self::create(&self.host, None).await;
        let subscription = subscription(&ordered.topic)
            .set_enable_message_ordering(true)
            .set_retry_policy(retry_policy());
        create_subscription(&self.host, subscription).await;
        Rc::new(ordered)
    }

    fn destination(&self) -> &str {
        &self.topic
    }

    async fn send(&self, event: Outgoing<'_, Event>) {
        self.producer.send(event).await.unwrap();
    }

    async fn send_batch(&self, events: &[Event]) {
        for sent in self.producer.send_batch(events).await {
            sent.unwrap();
        }
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

    async fn consume(
        &self,
        work: Work,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> Result<(), ReceiveError> {
        // A connection of its own, as a process has: the emulator goes on feeding a stream that has ended for as long
        // as its connection is there.
        let client = Client::connect_emulator(&self.host, PROJECT).await.unwrap();
        let letters = client.producer(&dead_letters(&self.topic)).await;
        let consumer = client.consumer(&self.topic, &settings).await.unwrap();
        run!(consumer.with_dead_letters(letters.unwrap()), work, shutdown)
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
            headers: letter.attributes,
        }
    }

    async fn take_away(&self) {
        let subscriptions = subscription_admin(&self.host).await;
        let delete = subscriptions.delete_subscription();
        delete
            .set_subscription(subscription_path(&self.topic))
            .send()
            .await
            .unwrap();
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

/// To the topic of the same name.
fn subscription(name: &str) -> Subscription {
    Subscription::new()
        .set_name(subscription_path(name))
        .set_topic(topic_path(name))
}

/// As short as a test can wait for.
fn retry_policy() -> RetryPolicy {
    let mut policy = RetryPolicy::new();
    policy.minimum_backoff = Some("0.05s".try_into().unwrap());
    policy.maximum_backoff = Some("1s".try_into().unwrap());
    policy
}

async fn create_subscription(host: &str, subscription: Subscription) {
    let subscriptions = subscription_admin(host).await;
    let create = subscriptions.create_subscription();
    create.with_request(subscription).send().await.unwrap();
}

async fn subscription_admin(host: &str) -> SubscriptionAdmin {
    let subscriptions = SubscriptionAdmin::builder()
        .with_endpoint(format!("http://{host}"))
        .with_credentials(anonymous::Builder::new().build());
    subscriptions.build().await.unwrap()
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
