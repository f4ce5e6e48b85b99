//! `google.pubsub.v1.Subscriber`, but for streaming pull.

use std::time::Duration;

use tokio::time::Instant;

use super::paging::Page;
use super::{parse_ack_ids, received};
use crate::broker::Broker;
use crate::error::Error;
use crate::names::{SubscriptionName, parse_project};
use crate::proto::{
    AcknowledgeRequest, DeleteSubscriptionRequest, Empty, GetSubscriptionRequest,
    ListSubscriptionsRequest, ListSubscriptionsResponse, ModifyAckDeadlineRequest,
    ModifyPushConfigRequest, PullRequest, PullResponse, SeekRequest, SeekResponse, Subscription,
    UpdateSubscriptionRequest,
};
use crate::settings::Settings;
use crate::subscription::{self, AckId};

/// The longest lease that a client may ask for.
const MAX_ACK_DEADLINE_SECONDS: u64 = 600;

pub(crate) fn create_subscription(
    broker: &Broker,
    request: Subscription,
) -> Result<Subscription, Error> {
    let name: SubscriptionName = request.name.parse()?;
    let settings = Settings::parse(request)?;
    let created = settings.to_proto(&name);
    broker.create_subscription(&name, settings)?;
    Ok(created)
}

pub(crate) fn get_subscription(
    broker: &Broker,
    request: GetSubscriptionRequest,
) -> Result<Subscription, Error> {
    let name: SubscriptionName = request.subscription.parse()?;
    broker.catalog(|catalog| Ok(catalog.subscription(&name)?.settings().to_proto(&name)))
}

pub(crate) fn update_subscription(
    broker: &Broker,
    request: UpdateSubscriptionRequest,
) -> Result<Subscription, Error> {
    let from = request.subscription.unwrap_or_default();
    let name: SubscriptionName = from.name.parse()?;
    let mask = request.update_mask.unwrap_or_default().paths;
    if mask.is_empty() {
        return Err(Error::invalid("The update_mask must name a field."));
    }
    broker.catalog(|catalog| {
        let mut updated = catalog.subscription(&name)?.settings().to_proto(&name);
        for path in &mask {
            copy_field(&mut updated, &from, path)?;
        }
        let settings = Settings::parse(updated)?;
        let answer = settings.to_proto(&name);
        catalog.reconfigure(&name, settings)?;
        Ok(answer)
    })
}

pub(crate) fn list_subscriptions(
    broker: &Broker,
    request: ListSubscriptionsRequest,
) -> Result<ListSubscriptionsResponse, Error> {
    let project = parse_project(&request.project)?;
    let page = Page::<SubscriptionName>::parse(request.page_size, &request.page_token)?;
    broker.catalog(|catalog| {
        let subscriptions = catalog
            .subscriptions(project, page.after.clone())
            .map(|(name, subscription)| subscription.settings().to_proto(name));
        let (subscriptions, next_page_token) =
            page.cut(subscriptions, |subscription| subscription.name.clone());
        Ok(ListSubscriptionsResponse {
            subscriptions,
            next_page_token,
        })
    })
}

pub(crate) fn delete_subscription(
    broker: &Broker,
    request: DeleteSubscriptionRequest,
) -> Result<Empty, Error> {
    broker.delete_subscription(&request.subscription.parse()?)?;
    Ok(Empty {})
}

/// An empty configuration asks for pull delivery, which is what every subscription here has.
pub(crate) fn modify_push_config(
    broker: &Broker,
    request: ModifyPushConfigRequest,
) -> Result<Empty, Error> {
    let update = UpdateSubscriptionRequest {
        subscription: Some(Subscription {
            name: request.subscription,
            push_config: request.push_config,
            ..Subscription::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["push_config".to_owned()],
        }),
    };
    update_subscription(broker, update).map(|_| Empty {})
}

pub(crate) fn acknowledge(broker: &Broker, request: AcknowledgeRequest) -> Result<Empty, Error> {
    let name: SubscriptionName = request.subscription.parse()?;
    let ids = parse_ack_ids(require_ids(&request.ack_ids)?)?;
    broker.with_subscription(&name, |subscription, now| {
        for id in ids {
            subscription.acknowledge(id, now);
        }
    })?;
    Ok(Empty {})
}

pub(crate) fn modify_ack_deadline(
    broker: &Broker,
    request: ModifyAckDeadlineRequest,
) -> Result<Empty, Error> {
    let name: SubscriptionName = request.subscription.parse()?;
    let ids = parse_ack_ids(require_ids(&request.ack_ids)?)?;
    let extension = parse_extension(request.ack_deadline_seconds)?;
    broker.with_subscription(&name, |subscription, now| {
        for id in ids {
            move_deadline(subscription, id, extension, now);
        }
    })?;
    Ok(Empty {})
}

pub(crate) async fn pull(broker: &Broker, request: PullRequest) -> Result<PullResponse, Error> {
    let name: SubscriptionName = request.subscription.parse()?;
    let max = usize::try_from(request.max_messages)
        .ok()
        .filter(|max| *max > 0)
        .ok_or_else(|| Error::invalid("max_messages must be greater than zero."))?;
    let deliveries = broker.pull(&name, max, !request.return_immediately).await?;
    Ok(PullResponse {
        received_messages: deliveries.iter().map(received).collect(),
    })
}

pub(crate) fn seek(broker: &Broker, request: SeekRequest) -> Result<SeekResponse, Error> {
    let name: SubscriptionName = request.subscription.parse()?;
    if !request.snapshot.is_empty() {
        return Err(Error::Unimplemented(
            "This emulator has no snapshots.".to_owned(),
        ));
    }
    let time = request
        .time
        .ok_or_else(|| Error::invalid("A seek needs a time."))?;
    broker.with_subscription(&name, |subscription, now| subscription.seek(time, now))?;
    Ok(SeekResponse {})
}

/// The new length of a lease. Zero gives the message back.
pub(super) fn parse_extension(seconds: i32) -> Result<Duration, Error> {
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

pub(super) fn move_deadline(
    subscription: &mut subscription::Subscription,
    id: AckId,
    extension: Duration,
    now: Instant,
) {
    if extension.is_zero() {
        subscription.nack(id, now);
    } else {
        subscription.extend(id, now + extension);
    }
}

fn copy_field(to: &mut Subscription, from: &Subscription, path: &str) -> Result<(), Error> {
    // A mask may name a field inside a policy: then too, the whole policy is replaced.
    match path.split('.').next().unwrap_or_default() {
        "ack_deadline_seconds" => to.ack_deadline_seconds = from.ack_deadline_seconds,
        "dead_letter_policy" => to.dead_letter_policy.clone_from(&from.dead_letter_policy),
        "enable_exactly_once_delivery" => {
            to.enable_exactly_once_delivery = from.enable_exactly_once_delivery;
        }
        "expiration_policy" => to.expiration_policy.clone_from(&from.expiration_policy),
        "labels" => to.labels.clone_from(&from.labels),
        "message_retention_duration" => {
            to.message_retention_duration = from.message_retention_duration;
        }
        "push_config" => to.push_config.clone_from(&from.push_config),
        "retain_acked_messages" => to.retain_acked_messages = from.retain_acked_messages,
        "retry_policy" => to.retry_policy.clone_from(&from.retry_policy),
        _ => {
            return Err(Error::invalid(format!(
                "The field of a subscription cannot be updated (path={path})."
            )));
        }
    }
    Ok(())
}

fn require_ids(ids: &[String]) -> Result<&[String], Error> {
    if ids.is_empty() {
        return Err(Error::invalid("No ack ids were given."));
    }
    Ok(ids)
}
