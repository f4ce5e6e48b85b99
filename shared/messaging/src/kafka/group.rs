//! What librdkafka says about the group, and how it is answered.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::client::OAuthToken;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};
use tokio::sync::mpsc;

use super::tokens::{Tokens, say};

/// Which partitions are ours changes; librdkafka waits until that is answered.
#[derive(Debug)]
pub(super) enum Rebalance {
    Assign(TopicPartitionList),
    /// `lost`: somebody else may have them already.
    Revoke {
        partitions: TopicPartitionList,
        lost: bool,
    },
}

impl Rebalance {
    pub(super) fn gives_partitions(&self) -> bool {
        matches!(self, Self::Assign(partitions) if partitions.count() > 0)
    }
}

/// Hands rebalances on to a task, because what is in hand is finished before they are answered, and the callback runs
/// on a thread of the runtime.
#[derive(Debug)]
pub(super) struct Membership {
    tokens: Tokens,
    rebalances: mpsc::UnboundedSender<Rebalance>,
    joined: AtomicBool,
    leaving: AtomicBool,
}

impl Membership {
    pub(super) fn new(tokens: Tokens) -> (Self, mpsc::UnboundedReceiver<Rebalance>) {
        let (rebalances, receiver) = mpsc::unbounded_channel();
        let membership = Self {
            tokens,
            rebalances,
            joined: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
        };
        (membership, receiver)
    }

    /// A member that got no partition, because others have them all, has joined as well.
    pub(super) fn has_joined(&self) -> bool {
        self.joined.load(Ordering::Relaxed)
    }

    /// A member whose connections stand needs a new token in time, and may get one; who was never let in waits in vain.
    pub(super) fn asks_again(&self, code: RDKafkaErrorCode) -> bool {
        code == RDKafkaErrorCode::Authentication && self.tokens.are_there() && self.has_joined()
    }

    /// From now on, rebalances are answered at once: nothing is in hand any more. Whether that is news.
    pub(super) fn leave(&self) -> bool {
        !self.leaving.swap(true, Ordering::AcqRel)
    }
}

impl ClientContext for Membership {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.tokens.generate_oauth_token(config)
    }

    fn error(&self, error: KafkaError, reason: &str) {
        say(&error, reason);
    }
}

impl ConsumerContext for Membership {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let rebalance = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.joined.store(true, Ordering::Relaxed);
                Rebalance::Assign(partitions.clone())
            }
            _ => Rebalance::Revoke {
                partitions: partitions.clone(),
                lost: consumer.assignment_lost(),
            },
        };
        if self.leaving.load(Ordering::Acquire) {
            return log(answer(consumer, &rebalance));
        }
        if let Err(unsent) = self.rebalances.send(rebalance) {
            log(answer(consumer, &unsent.0));
        }
    }
}

/// Takes the partitions, or lets them go; what was stored of them is committed then.
pub(super) fn answer<M: ConsumerContext>(
    consumer: &impl rdkafka::consumer::Consumer<M>,
    rebalance: &Rebalance,
) -> KafkaResult<()> {
    let cooperative = matches!(
        consumer.rebalance_protocol(),
        RebalanceProtocol::Cooperative
    );
    match rebalance {
        Rebalance::Assign(partitions) if cooperative => consumer.incremental_assign(partitions),
        Rebalance::Assign(partitions) => consumer.assign(partitions),
        Rebalance::Revoke { partitions, .. } if cooperative => {
            consumer.incremental_unassign(partitions)
        }
        Rebalance::Revoke { .. } => consumer.unassign(),
    }
}

pub(super) fn log(answered: KafkaResult<()>) {
    if let Err(error) = answered {
        tracing::warn!(%error, "the rebalance of the group was not answered");
    }
}
