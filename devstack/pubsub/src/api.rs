//! The operations on messages that both doors have: a request message in, an answer or an error out.

use std::time::Duration;

use uuid::Uuid;

use crate::broker::Broker;
use crate::error::Error;
use crate::message;
use crate::proto::{
    AcknowledgeRequest, Empty, ModifyAckDeadlineRequest, PublishRequest, PublishResponse,
    PubsubMessage, PullRequest, PullResponse, ReceivedMessage, SeekRequest,
};
use crate::subscription::Delivery;

/// The longest lease that a client may ask for.
const MAX_ACK_DEADLINE_SECONDS: u64 = 600;

pub(crate) fn publish(broker: &Broker, request: PublishRequest) -> Result<PublishResponse, Error> {
    let (topic, messages) = (request.topic, request.messages);
    message::check(&messages)?;
    let message_ids = broker.change(|catalog, now| catalog.publish(&topic, messages, now))?;
    Ok(PublishResponse { message_ids })
}

pub(crate) async fn pull(broker: &Broker, request: PullRequest) -> Result<PullResponse, Error> {
    let name = &request.subscription;
    let max = usize::try_from(request.max_messages)
        .ok()
        .filter(|max| *max > 0)
        .ok_or_else(|| Error::invalid("max_messages must be greater than zero."))?;
    let deliveries = broker.pull(name, max, !request.return_immediately).await?;
    Ok(PullResponse {
        received_messages: deliveries.iter().map(received).collect(),
    })
}

pub(crate) fn acknowledge(broker: &Broker, request: &AcknowledgeRequest) -> Result<Empty, Error> {
    let ids = require(&request.ack_ids)?;
    settle(broker, &request.subscription, ids, &[], &[])
}

pub(crate) fn modify_ack_deadline(
    broker: &Broker,
    request: &ModifyAckDeadlineRequest,
) -> Result<Empty, Error> {
    let ids = require(&request.ack_ids)?;
    let seconds = vec![request.ack_deadline_seconds; ids.len()];
    settle(broker, &request.subscription, &[], ids, &seconds)
}

/// Settles what was published before a time.
pub(crate) fn seek(broker: &Broker, request: &SeekRequest) -> Result<Empty, Error> {
    broker.change(|catalog, now| {
        let subscription = catalog.subscription(&request.subscription)?;
        subscription.seek(request.time, now);
        Ok(Empty {})
    })
}

/// Acknowledges messages, and moves the deadlines of `modified` by as many `seconds`.
///
/// All of it is done or nothing: an id that this server cannot have given out refuses the request.
pub(crate) fn settle(
    broker: &Broker,
    name: &str,
    acknowledged: &[String],
    modified: &[String],
    seconds: &[i32],
) -> Result<Empty, Error> {
    let acknowledged = parse_all(acknowledged)?;
    let modified = parse_all(modified)?;
    let extensions = seconds.iter().map(|seconds| parse_extension(*seconds));
    let extensions = extensions.collect::<Result<Vec<_>, _>>()?;
    broker.change(|catalog, now| {
        let subscription = catalog.subscription(name)?;
        for id in acknowledged {
            subscription.acknowledge(id, now);
        }
        for (id, extension) in modified.into_iter().zip(extensions) {
            subscription.modify_deadline(id, extension, now);
        }
        Ok(Empty {})
    })
}

fn parse_all(ids: &[String]) -> Result<Vec<Uuid>, Error> {
    let parse = |id: &String| {
        Uuid::try_parse(id).map_err(|_| {
            Error::invalid(format!(
                "You have passed an invalid ack ID to the service (ack_id={id})."
            ))
        })
    };
    ids.iter().map(parse).collect()
}

pub(crate) fn received(delivery: &Delivery) -> ReceivedMessage {
    let attempt = |attempt| i32::try_from(attempt).unwrap_or(i32::MAX);
    ReceivedMessage {
        ack_id: delivery.ack_id.to_string(),
        message: Some(PubsubMessage::clone(&delivery.message)),
        delivery_attempt: delivery.attempt.map(attempt),
    }
}

fn require(ids: &[String]) -> Result<&[String], Error> {
    if ids.is_empty() {
        return Err(Error::invalid("No ack ids were given."));
    }
    Ok(ids)
}

/// The new length of a lease. Zero gives the message back.
fn parse_extension(seconds: i32) -> Result<Duration, Error> {
    u64::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds <= MAX_ACK_DEADLINE_SECONDS)
        .map(Duration::from_secs)
        .ok_or_else(|| {
            Error::invalid(format!(
                "An acknowledgement deadline is moved by 0 to 600 seconds (value={seconds})."
            ))
        })
}
