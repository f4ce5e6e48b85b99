//! Pub/Sub: context in message attributes, retry by nack, a dead-letter topic.

mod consumer;
mod producer;

use std::sync::Arc;

use google_cloud_auth::credentials::anonymous;
use google_cloud_pubsub::client::{BasePublisher, Subscriber, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::Subscription as Description;

pub use consumer::Subscription;
pub use producer::Topic;

use crate::consumer::Probe;
use crate::destination::Destination;
use crate::error::ConnectError;
use crate::settings::Settings;

const SYSTEM: &str = "gcp_pubsub";
const GOOGLES_OWN: &str = "pubsub.googleapis.com:443";

/// Publishes events to one topic. Cheap to clone.
pub type Producer<C = crate::Json> = crate::Producer<Topic, C>;

/// Receives events from one subscription.
///
/// Messages are processed side by side, those of one ordering key in their order where the subscription has ordering.
/// A retry gives the message back, and the subscription's retry policy says when it comes again; without such a policy
/// it is kept for its delay, and keeps its place among those in hand. Pub/Sub counts the attempts if the subscription
/// has a dead-letter policy; otherwise each is the first.
pub type Consumer = crate::Consumer<Subscription>;

/// Makes producers and consumers from one set of Google's clients. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    project: Arc<str>,
    server: Arc<str>,
    publisher: BasePublisher,
    subscriber: Subscriber,
    topics: TopicAdmin,
    subscriptions: SubscriptionAdmin,
}

impl Client {
    /// Uses clients as they are, with their credentials and endpoints; `server` is how spans name it, as `host:port`.
    pub fn new(
        project: &str,
        server: &str,
        publisher: BasePublisher,
        subscriber: Subscriber,
        topics: TopicAdmin,
        subscriptions: SubscriptionAdmin,
    ) -> Self {
        Self {
            project: project.into(),
            server: server.into(),
            publisher,
            subscriber,
            topics,
            subscriptions,
        }
    }

    /// Google's own service, with the Application Default Credentials.
    pub async fn connect(project: &str) -> Result<Self, ConnectError> {
        let publisher = BasePublisher::builder().build().await;
        let subscriber = Subscriber::builder().build().await;
        let topics = TopicAdmin::builder().build().await;
        let subscriptions = SubscriptionAdmin::builder().build().await;
        Ok(Self::new(
            project,
            GOOGLES_OWN,
            publisher.map_err(|error| ConnectError::new(&error))?,
            subscriber.map_err(|error| ConnectError::new(&error))?,
            topics.map_err(|error| ConnectError::new(&error))?,
            subscriptions.map_err(|error| ConnectError::new(&error))?,
        ))
    }

    /// An emulator at `host:port`, without credentials; Google's clients do not read `PUBSUB_EMULATOR_HOST` themselves.
    pub async fn connect_emulator(host: &str, project: &str) -> Result<Self, ConnectError> {
        let endpoint = format!("http://{host}");
        let nobody = anonymous::Builder::new().build();
        let publisher = BasePublisher::builder()
            .with_endpoint(endpoint.clone())
            .with_credentials(nobody.clone());
        let subscriber = Subscriber::builder()
            .with_endpoint(endpoint.clone())
            .with_credentials(nobody.clone());
        let topics = TopicAdmin::builder()
            .with_endpoint(endpoint.clone())
            .with_credentials(nobody.clone());
        let subscriptions = SubscriptionAdmin::builder()
            .with_endpoint(endpoint)
            .with_credentials(nobody);
        let (publisher, subscriber) = (publisher.build().await, subscriber.build().await);
        let (topics, subscriptions) = (topics.build().await, subscriptions.build().await);
        Ok(Self::new(
            project,
            host,
            publisher.map_err(|error| ConnectError::new(&error))?,
            subscriber.map_err(|error| ConnectError::new(&error))?,
            topics.map_err(|error| ConnectError::new(&error))?,
            subscriptions.map_err(|error| ConnectError::new(&error))?,
        ))
    }

    /// A producer for the topic of this id; the client connects when it is needed.
    #[expect(
        clippy::unused_async,
        reason = "the other brokers have to ask their servers"
    )]
    pub async fn producer(&self, topic: &str) -> Result<Producer, ConnectError> {
        let path = format!("projects/{}/topics/{topic}", self.project);
        let destination = Destination::new(SYSTEM, topic, &self.server);
        let topic = Topic::new(&self.publisher, self.topics.clone(), path, destination);
        Ok(Producer::new(topic))
    }

    /// A consumer of the subscription of this id, which must be there.
    ///
    /// A dead-letter policy of the subscription is a safety net for consumers that die before they decide;
    /// its `maxDeliveryAttempts` must be larger than [`Settings::max_attempts`].
    pub async fn consumer(
        &self,
        subscription: &str,
        settings: &Settings,
    ) -> Result<Consumer, ConnectError> {
        let path = format!("projects/{}/subscriptions/{subscription}", self.project);
        let description = self.describe(&path).await?;
        let (client, probed) = (self.clone(), path.clone());
        let probe = Probe::new(move || {
            let (client, path) = (client.clone(), probed.clone());
            async move { client.describe(&path).await.map(drop) }
        });
        let topic = description.topic.rsplit('/').next().unwrap_or_default();
        let destination = Destination::new(SYSTEM, topic, &self.server);
        let subscription = Subscription::new(
            self.subscriber.clone(),
            path,
            &description,
            destination,
            settings,
        );
        Ok(Consumer::new(subscription, settings, probe))
    }

    async fn describe(&self, subscription: &str) -> Result<Description, ConnectError> {
        let asked = self.subscriptions.get_subscription();
        let described = asked.set_subscription(subscription).send().await;
        described.map_err(|error| ConnectError::new(&error))
    }
}
