//! A member of a consumer group: it joins, says whether it is ready, and leaves; and what its client's errors mean.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::group::{Membership, Rebalance, answer, log};
use super::tokens::Tokens;
use crate::consumer::Probe;
use crate::destination::Destination;
use crate::error::{ConnectError, ReceiveError};
use crate::settings::Settings;

/// How long committing and leaving the group may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// A membership in a consumer group.
pub struct Group {
    pub(super) client: Arc<StreamConsumer<Membership>>,
    pub(super) rebalances: mpsc::UnboundedReceiver<Rebalance>,
    pub(super) destinations: Vec<Arc<Destination>>,
    pub(super) name: Arc<str>,
    pub(super) settings: Settings,
}

impl Group {
    pub(super) fn join(
        config: &ClientConfig,
        tokens: Tokens,
        destinations: impl Iterator<Item = Destination>,
        name: &str,
        settings: &Settings,
    ) -> Result<Self, ConnectError> {
        let destinations: Vec<_> = destinations.map(Arc::new).collect();
        let topics: Vec<_> = destinations.iter().map(|topic| &*topic.name).collect();
        let (membership, rebalances) = Membership::new(tokens);
        let client: StreamConsumer<_> = config
            .create_with_context(membership)
            .map_err(|error| ConnectError::new(&error))?;
        let subscribed = client.subscribe(&topics);
        subscribed.map_err(|error| ConnectError::new(&error))?;
        Ok(Self {
            client: Arc::new(client),
            rebalances,
            destinations,
            name: name.into(),
            settings: settings.clone(),
        })
    }

    /// It must not keep the consumer from leaving its group.
    pub(super) fn probe(&self) -> Probe {
        let (client, topics) = (Arc::downgrade(&self.client), self.destinations.clone());
        Probe::new(move || {
            let (client, topics) = (client.upgrade(), topics.clone());
            async move {
                let Some(client) = client else {
                    return Err(ConnectError::new(&"the consumer has ended"));
                };
                for topic in topics {
                    let client = client.clone();
                    super::check(move |within| client.fetch_metadata(Some(&topic.name), within))
                        .await?;
                }
                if client.context().has_joined() {
                    Ok(())
                } else {
                    Err(ConnectError::new(&"the consumer group was not joined yet"))
                }
            }
        })
    }

    fn topics(&self) -> String {
        let names: Vec<_> = self.destinations.iter().map(|topic| &*topic.name).collect();
        names.join(", ")
    }

    /// Commits and leaves the group, on a thread of its own: both block, for long when the broker is gone, and for
    /// ever when the group rebalances meanwhile (<https://github.com/confluentinc/librdkafka/issues/4884>).
    pub(super) async fn leave(mut self) {
        self.client.context().leave();
        while let Ok(unanswered) = self.rebalances.try_recv() {
            log(answer(&*self.client, &unanswered));
        }
        let (done, left) = oneshot::channel();
        std::thread::spawn(move || {
            let committed = self.client.commit_consumer_state(CommitMode::Sync);
            drop(self);
            // Nobody waits any more if this took too long.
            done.send(committed).ok();
        });
        match tokio::time::timeout(LEAVE_WITHIN, left).await {
            Ok(Ok(Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last records will come again"),
            Ok(Err(_)) | Err(_) => {
                tracing::warn!("Kafka did not let go in time, the last records may come again");
            }
        }
    }
}

/// Whoever drops the consumer instead of stopping it has nobody who answers rebalances, and librdkafka's close waits for
/// an answer for ever.
impl Drop for Group {
    fn drop(&mut self) {
        if self.client.context().leave() {
            self.rebalances.close();
            // It answers whatever was asked last, also what a task had taken on.
            log(self.client.unassign());
        }
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group")
            .field("name", &self.name)
            .field("topics", &self.topics())
            .finish_non_exhaustive()
    }
}

/// An error that does not heal by itself, and when it is borne no longer.
pub(super) struct Fatal {
    at: Instant,
    reason: String,
}

pub(super) async fn at(fatal: Option<&Fatal>) {
    match fatal {
        Some(fatal) => tokio::time::sleep_until(fatal.at).await,
        None => std::future::pending().await,
    }
}

/// librdkafka goes on by itself after most errors, and says each of these once.
pub(super) fn note(
    group: &Group,
    why: &KafkaError,
    fatal: &mut Option<Fatal>,
) -> Result<(), ReceiveError> {
    if let KafkaError::MessageConsumptionFatal(_) = why {
        return Err(error(group, why));
    }
    let topics = group.topics();
    match why.rdkafka_error_code() {
        Some(code) if !heals(code) && !group.client.context().asks_again(code) => {
            tracing::warn!(topics, error = %why, "cannot receive");
            fatal.get_or_insert_with(|| Fatal {
                at: Instant::now() + group.settings.fatal_after,
                reason: why.to_string(),
            });
        }
        _ => tracing::debug!(topics, error = %why, "the client goes on"),
    }
    Ok(())
}

fn heals(code: RDKafkaErrorCode) -> bool {
    !matches!(
        code,
        RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition
            | RDKafkaErrorCode::InvalidTopic
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::InconsistentGroupProtocol
            | RDKafkaErrorCode::UnsupportedFeature
    )
}

pub(super) fn receive_error(group: &Group, fatal: Option<Fatal>) -> ReceiveError {
    let reason = fatal.map(|fatal| fatal.reason);
    error(group, &reason.unwrap_or_default())
}

pub(super) fn error(group: &Group, reason: &impl ToString) -> ReceiveError {
    ReceiveError {
        destination: group.topics(),
        reason: reason.to_string(),
    }
}
