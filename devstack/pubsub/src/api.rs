//! The operations on messages that both doors have: a request message in, an answer or an error out.

use uuid::Uuid;

use crate::broker::Broker;
use crate::error::Error;
use crate::message;
use crate::proto::{
    AcknowledgeRequest, Empty, ModifyAckDeadlineRequest, PublishRequest, PublishResponse,
    PubsubMessage, PullRequest, PullResponse, ReceivedMessage, SeekRequest, StreamingPullRequest,
};
use crate::settings::parse_extension;
use crate::subscription::Delivery;

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

pub(crate) fn acknowledge(broker: &Broker, request: AcknowledgeRequest) -> Result<Empty, Error> {
    let request = StreamingPullRequest {
        subscription: request.subscription,
        ack_ids: some(request.ack_ids)?,
        ..StreamingPullRequest::default()
    };
    settle(broker, &request.subscription, &request)
}

pub(crate) fn modify_ack_deadline(
    broker: &Broker,
    request: ModifyAckDeadlineRequest,
) -> Result<Empty, Error> {
    let request = StreamingPullRequest {
        subscription: request.subscription,
        modify_deadline_seconds: vec![request.ack_deadline_seconds; request.ack_ids.len()],
        modify_deadline_ack_ids: some(request.ack_ids)?,
        ..StreamingPullRequest::default()
    };
    settle(broker, &request.subscription, &request)
}

fn some(ids: Vec<String>) -> Result<Vec<String>, Error> {
    if ids.is_empty() {
        return Err(Error::invalid("No ack ids were given."));
    }
    Ok(ids)
}

/// Settles what was published before a time.
pub(crate) fn seek(broker: &Broker, request: &SeekRequest) -> Result<Empty, Error> {
    broker.change(|catalog, now| {
        let subscription = catalog.subscription(&request.subscription)?;
        subscription.seek(request.time, now);
        Ok(Empty {})
    })
}

/// Acknowledges messages of the subscription `name`, and moves deadlines.
///
/// All of it is done or nothing: an id that this server cannot have given out refuses the request.
pub(crate) fn settle(
    broker: &Broker,
    name: &str,
    request: &StreamingPullRequest,
) -> Result<Empty, Error> {
    let acknowledged = parse_all(&request.ack_ids)?;
    let modified = parse_all(&request.modify_deadline_ack_ids)?;
    let seconds = request.modify_deadline_seconds.iter();
    let extensions = seconds.map(|seconds| parse_extension(*seconds));
    let extensions = extensions.collect::<Result<Vec<_>, _>>()?;
    if modified.len() != extensions.len() {
        return Err(Error::invalid(
            "modify_deadline_ack_ids and modify_deadline_seconds differ in length.",
        ));
    }
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
