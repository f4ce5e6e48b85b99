//! Kafka: context in record headers, retry in place, a dead-letter topic.

mod consumer;
mod group;
mod offsets;
mod partition;
mod partitions;
mod producer;
mod tokens;

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::producer::FutureProducer;

pub use consumer::Group;
pub use producer::Topic;
pub use tokens::Token;

use crate::destination::Destination;
use crate::error::ConnectError;
use crate::settings::Settings;
use tokens::Tokens;

const SYSTEM: &str = "kafka";

/// How long the broker may take to answer when asked whether it is there.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends events to one topic. Cheap to clone.
pub type Producer<C = crate::Json> = crate::Producer<Topic, C>;

/// Receives events from topics, as a member of a consumer group.
///
/// Records of different keys are processed side by side, those of one key in their order; a record without a key waits
/// for no other. Kafka has no way to give a record back: a retry waits in place, and holds up its key alone.
pub type Consumer = crate::Consumer<Group>;

/// Makes producers and consumers from one configuration of librdkafka. Cheap to clone.
///
/// All producers share one client; each consumer has its own, for any number of topics.
#[derive(Clone)]
pub struct Client {
    config: ClientConfig,
    tokens: Tokens,
    producers: Arc<OnceLock<FutureProducer<Tokens>>>,
}

impl Client {
    /// A client that connects as `config` says, TLS and SASL included: see librdkafka's `CONFIGURATION.md`.
    ///
    /// What `config` leaves open is set to what this crate is made for. Of a consumer, `enable.auto.commit` and
    /// `enable.auto.offset.store` are always set: offsets are stored when a record is settled, and committed in the
    /// background.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            config,
            tokens: Tokens::default(),
            producers: Arc::default(),
        }
    }

    /// Takes tokens for SASL OAUTHBEARER from `source`: of an identity provider, of MSK's IAM signer, of a file.
    ///
    /// It is asked again before a token expires, and ten seconds after an error. It has a thread of its own, and may block
    /// that for as long as one request takes.
    pub fn with_tokens(
        mut self,
        source: impl Fn() -> Result<Token, Box<dyn Error>> + Send + Sync + 'static,
    ) -> Self {
        self.tokens = Tokens::from(source);
        // Clients that this one was cloned from go on as who they are.
        self.producers = Arc::default();
        self
    }

    /// A producer for `topic`; the client connects when it is needed.
    #[expect(
        clippy::unused_async,
        reason = "the other brokers have to ask their servers"
    )]
    pub async fn producer(&self, topic: &str) -> Result<Producer, ConnectError> {
        let client = self.shared_producer()?;
        Ok(Producer::new(Topic::new(client, self.destination(topic))))
    }

    /// A consumer of `topics`, as a member of `group`.
    #[expect(
        clippy::unused_async,
        reason = "the other brokers have to ask their servers"
    )]
    pub async fn consumer(
        &self,
        topics: &[&str],
        group: &str,
        settings: &Settings,
    ) -> Result<Consumer, ConnectError> {
        let destinations = topics.iter().map(|topic| self.destination(topic));
        let group = Group::join(
            &self.consumer_config(group),
            self.tokens.clone(),
            destinations,
            group,
            settings,
        )?;
        let probe = group.probe();
        Ok(Consumer::new(group, settings, probe))
    }

    fn shared_producer(&self) -> Result<FutureProducer<Tokens>, ConnectError> {
        if let Some(client) = self.producers.get() {
            return Ok(client.clone());
        }
        let client = self
            .producer_config()
            .create_with_context(self.tokens.clone());
        let client = client.map_err(|error| ConnectError::new(&error))?;
        Ok(self.producers.get_or_init(|| client).clone())
    }

    fn producer_config(&self) -> ClientConfig {
        let mut config = self.config.clone();
        for (key, value) in [
            // A retry inside the client must neither double nor reorder records.
            ("enable.idempotence", "true"),
            // A request waits for this send, so it does not wait for others to fill a batch.
            ("linger.ms", "0"),
            ("message.timeout.ms", "10000"),
            // How large a record may be is for the broker to say; the client alone would refuse what brokers take.
            ("message.max.bytes", "1000000000"),
        ] {
            set_unless_given(&mut config, key, value);
        }
        config
    }

    fn consumer_config(&self, group: &str) -> ClientConfig {
        let mut config = self.config.clone();
        // It would warn of a setting that is for producers alone.
        config.remove("compression.type");
        config
            .set("group.id", group)
            .set("enable.auto.commit", "true")
            .set("enable.auto.offset.store", "false");
        for (key, value) in [
            ("auto.offset.reset", "earliest"),
            ("auto.commit.interval.ms", "1000"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            // A member that died is missed after this, and its partitions go to the others.
            ("session.timeout.ms", "10000"),
            // A new record is fetched as soon as the broker has it; this only bounds an idle fetch.
            ("fetch.wait.max.ms", "20"),
            // What is fetched ahead for a partition that is slow stays in memory.
            ("queued.max.messages.kbytes", "16384"),
        ] {
            set_unless_given(&mut config, key, value);
        }
        config
    }

    fn destination(&self, topic: &str) -> Destination {
        let servers = self.config.get("bootstrap.servers");
        let servers = servers.or_else(|| self.config.get("metadata.broker.list"));
        let first = servers.and_then(|servers| servers.split(',').next());
        Destination::new(SYSTEM, topic, first.unwrap_or_default())
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The rest of the configuration may hold passwords.
        f.debug_struct("Client")
            .field("bootstrap.servers", &self.config.get("bootstrap.servers"))
            .finish_non_exhaustive()
    }
}

fn set_unless_given(config: &mut ClientConfig, key: &str, value: &str) {
    if config.get(key).is_none() {
        config.set(key, value);
    }
}

/// Asks for the metadata of `topic`, which blocks.
async fn check(
    fetch: impl FnOnce(Duration) -> Result<Metadata, KafkaError> + Send + 'static,
) -> Result<(), ConnectError> {
    let metadata = tokio::task::spawn_blocking(move || fetch(CHECK_TIMEOUT)).await;
    let metadata = metadata.map_err(|error| ConnectError::new(&error))?;
    let metadata = metadata.map_err(|error| ConnectError::new(&error))?;
    match metadata.topics().iter().find_map(MetadataTopic::error) {
        Some(error) => Err(ConnectError::new(&RDKafkaErrorCode::from(error))),
        None => Ok(()),
    }
}
