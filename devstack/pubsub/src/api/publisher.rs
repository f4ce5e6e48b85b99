//! `google.pubsub.v1.Publisher`.

use super::paging::Page;
use crate::broker::Broker;
use crate::error::Error;
use crate::message;
use crate::names::{SubscriptionName, TopicName, parse_project};
use crate::proto::{
    DeleteTopicRequest, Empty, GetTopicRequest, ListTopicSubscriptionsRequest,
    ListTopicSubscriptionsResponse, ListTopicsRequest, ListTopicsResponse, PublishRequest,
    PublishResponse, Topic, UpdateTopicRequest,
};
use crate::topic;

pub(crate) fn create_topic(broker: &Broker, request: Topic) -> Result<Topic, Error> {
    let name: TopicName = request.name.parse()?;
    let topic = topic::Topic::parse(request)?;
    let created = topic.to_proto(&name);
    broker.catalog(|catalog| catalog.create_topic(name, topic))?;
    Ok(created)
}

pub(crate) fn get_topic(broker: &Broker, request: GetTopicRequest) -> Result<Topic, Error> {
    let name: TopicName = request.topic.parse()?;
    broker.catalog(|catalog| Ok(catalog.topic(&name)?.to_proto(&name)))
}

pub(crate) fn update_topic(broker: &Broker, request: UpdateTopicRequest) -> Result<Topic, Error> {
    let from = request.topic.unwrap_or_default();
    let name: TopicName = from.name.parse()?;
    let mask = request.update_mask.unwrap_or_default().paths;
    broker.catalog(|catalog| {
        let topic = catalog.topic(&name)?;
        topic.update(from, &mask)?;
        Ok(topic.to_proto(&name))
    })
}

pub(crate) fn list_topics(
    broker: &Broker,
    request: ListTopicsRequest,
) -> Result<ListTopicsResponse, Error> {
    let project = parse_project(&request.project)?;
    let page = Page::<TopicName>::parse(request.page_size, &request.page_token)?;
    broker.catalog(|catalog| {
        let topics = catalog
            .topics(project, page.after.clone())
            .map(|(name, topic)| topic.to_proto(name));
        let (topics, next_page_token) = page.cut(topics, |topic| topic.name.clone());
        Ok(ListTopicsResponse {
            topics,
            next_page_token,
        })
    })
}

pub(crate) fn list_topic_subscriptions(
    broker: &Broker,
    request: ListTopicSubscriptionsRequest,
) -> Result<ListTopicSubscriptionsResponse, Error> {
    let name: TopicName = request.topic.parse()?;
    let page = Page::<SubscriptionName>::parse(request.page_size, &request.page_token)?;
    broker.catalog(|catalog| {
        let names = catalog
            .topic(&name)?
            .subscriptions
            .iter()
            .filter(|name| page.after.as_ref().is_none_or(|after| *name > after))
            .map(ToString::to_string);
        let (subscriptions, next_page_token) = page.cut(names, Clone::clone);
        Ok(ListTopicSubscriptionsResponse {
            subscriptions,
            next_page_token,
        })
    })
}

pub(crate) fn delete_topic(broker: &Broker, request: DeleteTopicRequest) -> Result<Empty, Error> {
    let name: TopicName = request.topic.parse()?;
    broker.catalog(|catalog| catalog.delete_topic(&name))?;
    Ok(Empty {})
}

pub(crate) fn publish(broker: &Broker, request: PublishRequest) -> Result<PublishResponse, Error> {
    let topic: TopicName = request.topic.parse()?;
    message::check(&request.messages)?;
    let message_ids = broker.publish(&topic, request.messages)?;
    Ok(PublishResponse { message_ids })
}
