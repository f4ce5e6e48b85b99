//! Queues come and go, are found, emptied and asked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::{ACCOUNT, Call, arn, parse, required};
use crate::{
    config::{QueueConfig, check_name},
    error::Error,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct NamedQueue {
    queue_name: Option<String>,
    attributes: BTreeMap<String, String>,
}

pub(super) fn create(call: &Call, input: NamedQueue) -> Result<Value, Error> {
    let name = required("QueueName", input.queue_name)?;
    // On a standard queue AWS calls the attribute unknown, even if it is false.
    let is_fifo = |(name, value): (&String, &String)| name == "FifoQueue" && value == "true";
    let mut attributes = input.attributes.iter();
    if let Some((unknown, _)) = attributes.find(|attribute| !is_fifo(*attribute)) {
        return Err(Error::InvalidAttributeName(unknown.clone()));
    }
    check_name(&name, !input.attributes.is_empty())?;
    let queue = QueueConfig::new(&name);
    call.emulator.change(|queues, _| queues.create(queue))?;
    Ok(queue_url(call, &name))
}

pub(super) fn get_url(call: &Call, input: NamedQueue) -> Result<Value, Error> {
    let name = required("QueueName", input.queue_name)?;
    call.emulator
        .change(|queues, _| queues.get(&name).map(drop))?;
    Ok(queue_url(call, &name))
}

fn queue_url(call: &Call, name: &str) -> Value {
    json!({"QueueUrl": format!("{}/{ACCOUNT}/{name}", call.endpoint)})
}

pub(super) fn delete(call: &Call, name: &str) -> Result<Value, Error> {
    // Who waits on it learns that it is gone.
    call.emulator.change(|queues, _| queues.delete(name))?;
    Ok(json!({}))
}

pub(super) fn purge(call: &Call, name: &str) -> Result<Value, Error> {
    call.emulator.change(|queues, _| {
        queues.get(name)?.purge();
        Ok(json!({}))
    })
}

pub(super) fn get_attributes(call: &Call, queue: &str, mut input: Value) -> Result<Value, Error> {
    let (counts, config) = call.emulator.change(|queues, now| {
        let queue = queues.get(queue)?;
        Ok((queue.counts(now), queue.config.clone()))
    })?;
    let timeout = config.visibility_timeout.as_secs();
    let mut attributes = json!({
        "ApproximateNumberOfMessages": counts.ready.to_string(),
        "ApproximateNumberOfMessagesDelayed": counts.delayed.to_string(),
        "ApproximateNumberOfMessagesNotVisible": counts.in_flight.to_string(),
        "QueueArn": arn(queue),
        "VisibilityTimeout": timeout.to_string(),
    });
    if config.is_fifo() {
        attributes["FifoQueue"] = "true".into();
    }
    let wanted: Option<Vec<String>> = parse(input["AttributeNames"].take())?;
    let wanted = wanted.unwrap_or_default();
    if wanted.iter().any(|name| name == "All") {
        return Ok(json!({"Attributes": attributes}));
    }
    let select = |name: String| match attributes[&name].clone() {
        // Asking a standard queue whether it is FIFO is an error on AWS too.
        Value::Null => Err(Error::InvalidAttributeName(name)),
        value => Ok((name, value)),
    };
    let selected: Map<_, _> = wanted.into_iter().map(select).collect::<Result<_, _>>()?;
    Ok(json!({"Attributes": selected}))
}
