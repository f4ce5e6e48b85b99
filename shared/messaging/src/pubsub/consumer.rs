use std::sync::Arc;
use std::time::{Duration, SystemTime};

use google_cloud_pubsub::Error;
use google_cloud_pubsub::client::{Subscriber, SubscriptionAdmin};
use google_cloud_pubsub::model::Message as Received;
use google_cloud_pubsub::subscriber::MessageStream;
use google_cloud_pubsub::subscriber::handler::Handler as Receipt;
use opentelemetry_semantic_conventions::attribute::{
    MESSAGING_DESTINATION_SUBSCRIPTION_NAME, MESSAGING_GCP_PUBSUB_MESSAGE_ORDERING_KEY,
};
use otel_carriers::pubsub::MetadataExtractor;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{Address, Emulator, Producer, refused};
use crate::context::extract;
use crate::error::ConnectError;
use crate::handler::{Delivery, Handler};
use crate::process::{Message, Outcome, Processor};
use crate::settings::Settings;
use crate::shutdown::finish;
use crate::span::{self, Destination};

/// How long a message stays ours without a word: the messages of a consumer that died come again after this.
/// The shortest that the client allows.
const LEASE: Duration = Duration::from_secs(10);
/// How long to wait after the stream failed.
const RECEIVE_PAUSE: Duration = Duration::from_secs(1);

/// Receives events from one subscription.
///
/// Messages are processed side by side.
/// A retry keeps the message for its delay, then gives it back; Pub/Sub counts the attempts if the subscription has a
/// dead-letter policy, and otherwise each is the first.
///
/// Cheap to clone: a clone can still be asked whether the broker answers while the other runs.
#[derive(Debug, Clone)]
pub struct Consumer {
    client: Subscriber,
    admin: SubscriptionAdmin,
    subscription: String,
    subscription_path: String,
    source: Destination,
    settings: Settings,
    dead_letters: Producer,
}

impl Consumer {
    /// A consumer of `subscription` of `topic`; what is given up goes to the topic `<topic>.dlq`.
    ///
    /// A dead-letter policy to the same topic is a safety net for consumers that die before they decide;
    /// its `maxDeliveryAttempts` must be larger than `MESSAGING_MAX_ATTEMPTS`.
    pub async fn connect(
        address: &Address,
        settings: &Settings,
        topic: &str,
        subscription: &str,
    ) -> Result<Self, ConnectError> {
        let mut builder = Subscriber::builder();
        let mut admin = SubscriptionAdmin::builder();
        if let Some(Emulator {
            endpoint,
            credentials,
        }) = address.emulator()
        {
            builder = builder
                .with_endpoint(endpoint.clone())
                .with_credentials(credentials.clone());
            admin = admin.with_endpoint(endpoint).with_credentials(credentials);
        }
        Ok(Self {
            admin: admin.build().await.map_err(|error| refused(&error))?,
            client: builder.build().await.map_err(|error| refused(&error))?,
            subscription: subscription.to_owned(),
            subscription_path: address.subscription(subscription),
            source: address.destination(topic),
            settings: settings.clone(),
            dead_letters: Producer::connect(address, &format!("{topic}.dlq")).await?,
        })
    }

    /// Whether the broker answers and has the subscription.
    pub async fn check(&self) -> Result<(), ConnectError> {
        let subscription = self.subscription_path.clone();
        let asked = self.admin.get_subscription().set_subscription(subscription);
        asked
            .send()
            .await
            .map(drop)
            .map_err(|error| refused(&error))
    }

    /// Receives until `shutdown`, then finishes what is in hand, within `MESSAGING_SHUTDOWN_TIMEOUT_MS`.
    pub async fn run<H: Handler>(self, handler: H, shutdown: CancellationToken) {
        let worker = Arc::new(Worker {
            subscription: self.subscription.clone(),
            processor: Processor {
                source: self.source.clone(),
                settings: self.settings.clone(),
                handler: Arc::new(handler),
                dead_letters: self.dead_letters.clone(),
            },
            shutdown: shutdown.clone(),
        });
        let mut tasks = JoinSet::new();
        loop {
            let mut stream = self.stream();
            let received = worker.receive(&mut stream, &mut tasks);
            let Some(ended) = shutdown.run_until_cancelled(received).await else {
                finish(tasks, self.settings.shutdown_timeout()).await;
                // Sends the acknowledgements that the client has not sent yet.
                return stream.shutdown_token().shutdown().await;
            };
            self.pause(ended, &shutdown).await;
        }
    }

    async fn pause(&self, ended: Result<(), Error>, shutdown: &CancellationToken) {
        let Err(error) = ended else { return };
        let subscription = &self.subscription;
        tracing::warn!(subscription, %error, "cannot receive, will try again");
        shutdown
            .run_until_cancelled(tokio::time::sleep(RECEIVE_PAUSE))
            .await;
    }

    fn stream(&self) -> MessageStream {
        self.client
            .subscribe(&self.subscription_path)
            .set_max_lease_extension(LEASE)
            .set_max_outstanding_messages(i64::from(self.settings.messaging_concurrency))
            .build()
    }
}

/// What processing one message needs.
struct Worker<H> {
    subscription: String,
    processor: Processor<H, Producer>,
    shutdown: CancellationToken,
}

impl<H: Handler> Worker<H> {
    /// Begins to work on all that the stream gives, until it ends.
    async fn receive(
        self: &Arc<Self>,
        stream: &mut MessageStream,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), Error> {
        while let Some(received) = stream.next().await {
            let (message, receipt) = received?;
            tasks.spawn(self.clone().work(message, receipt));
            while tasks.try_join_next().is_some() {}
        }
        Ok(())
    }

    async fn work(self: Arc<Self>, received: Received, receipt: Receipt) {
        let describe = |span: &Span| self.describe(span, &received);
        let message = Message {
            creation: extract(&MetadataExtractor::new(&received.attributes)),
            key: None,
            payload: &received.data,
            delivery: delivery(&received, &receipt),
            describe: &describe,
        };
        match self.processor.process(message).await {
            Outcome::Settle => receipt.ack(),
            Outcome::Retry(delay) => {
                let wait = tokio::time::sleep(delay);
                self.shutdown.run_until_cancelled(wait).await;
                receipt.nack();
            }
        }
    }

    fn describe(&self, span: &Span, received: &Received) {
        span::set(
            span,
            MESSAGING_DESTINATION_SUBSCRIPTION_NAME,
            self.subscription.clone(),
        );
        if !received.ordering_key.is_empty() {
            let key = received.ordering_key.clone();
            span::set(span, MESSAGING_GCP_PUBSUB_MESSAGE_ORDERING_KEY, key);
        }
    }
}

fn delivery(received: &Received, receipt: &Receipt) -> Delivery {
    let attempt = receipt.delivery_attempt();
    let sent = received
        .publish_time
        .and_then(|time| SystemTime::try_from(time).ok());
    Delivery {
        message_id: received.message_id.clone(),
        attempt: attempt
            .and_then(|attempt| u32::try_from(attempt).ok())
            .unwrap_or(1),
        queue_time: sent.map(span::queue_time),
    }
}
