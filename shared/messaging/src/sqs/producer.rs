use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::RequestId;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, SendMessageBatchRequestEntry};
use bytes::Bytes;
use opentelemetry_semantic_conventions::attribute::{
    AWS_REQUEST_ID, AWS_SQS_QUEUE_URL, MESSAGING_MESSAGE_ID,
};
use otel_carriers::sqs::MetadataInjector;
use tracing::Span;

use super::{MAX_BATCH, class, reason};
use crate::context::{inject, note_left_out};
use crate::destination::Destination;
use crate::error::{ConnectError, SendError};
use crate::headers::Headers;
use crate::producer::{Outbound, Sent, Transport};
use crate::span;

/// The most bytes of a batch, bodies and attributes together.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// A queue, found by its name.
#[derive(Debug, Clone)]
pub struct Queue {
    pub(super) client: Client,
    pub(super) url: Arc<str>,
    pub(super) is_fifo: bool,
    pub(super) destination: Arc<Destination>,
}

/// A message in the SDK's terms.
struct Prepared {
    body: String,
    attributes: HashMap<String, MessageAttributeValue>,
    group: Option<String>,
    deduplication_id: Option<String>,
}

impl Queue {
    pub(super) async fn look_up(&self) -> Result<(), ConnectError> {
        let name = &self.destination.name;
        let asked = self.client.get_queue_url().queue_name(name).send().await;
        asked
            .map(drop)
            .map_err(|error| ConnectError(reason(&error)))
    }

    fn prepare(
        &self,
        message: Outbound,
        span: &Span,
        propagate: bool,
    ) -> Result<Prepared, SendError> {
        span::set(span, AWS_SQS_QUEUE_URL, self.url.to_string());
        let body = message.payload.unwrap_or_default();
        let body = String::from_utf8(body.into());
        let body = body.map_err(|_| self.refused("encode", "the payload is not UTF-8 text"))?;
        let mut attributes = attributes(&message.headers);
        if propagate {
            let mut carrier = MetadataInjector::new(&mut attributes);
            inject(&message.context, &mut carrier);
            note_left_out(carrier.left_out(), &self.destination);
        }
        let mut prepared = Prepared {
            body,
            attributes,
            group: None,
            deduplication_id: None,
        };
        if self.is_fifo {
            let group = message.key.map(|key| String::from_utf8(key.into()));
            let group = group.transpose();
            prepared.group = group.map_err(|_| self.refused("encode", "the key is not text"))?;
            prepared.deduplication_id = message.deduplication_id;
        }
        Ok(prepared)
    }

    fn refused(&self, error_type: &str, reason: &str) -> SendError {
        SendError::refused(&self.destination.name, error_type, reason)
    }

    fn failed(&self, error_type: &str, reason: &str) -> SendError {
        if is_permanent(error_type) {
            return self.refused(error_type, reason);
        }
        SendError::unavailable(&self.destination.name, error_type, reason)
    }

    fn not_sent<E>(&self, error: &SdkError<E>) -> SendError
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        self.failed(&class(error), &reason(error))
    }

    async fn send_chunk(
        &self,
        chunk: Vec<(usize, Prepared)>,
        answers: &mut [Option<Result<Sent, SendError>>],
    ) {
        let indices: Vec<_> = chunk.iter().map(|(index, _)| *index).collect();
        let entries: Result<Vec<_>, _> = chunk.into_iter().map(entry).collect();
        let entries = entries.expect("an id and a body are all that it wants");
        let request = self.client.send_message_batch().queue_url(&*self.url);
        let answer = match request.set_entries(Some(entries)).send().await {
            Ok(answer) => answer,
            Err(error) => {
                for index in indices {
                    answers[index] = Some(Err(self.not_sent(&error)));
                }
                return;
            }
        };
        for sent in answer.successful() {
            let message_id = sent.message_id().to_owned();
            set(answers, sent.id(), Ok(Sent { message_id }));
        }
        for failed in answer.failed() {
            let error = self.failed(failed.code(), failed.message().unwrap_or_default());
            set(answers, failed.id(), Err(error));
        }
    }

    fn unanswered(&self) -> SendError {
        self.failed("_OTHER", "SQS did not answer for this message")
    }
}

impl Transport for Queue {
    const FEW_HEADERS: bool = true;

    fn destination(&self) -> &Destination {
        &self.destination
    }

    async fn transmit(
        &self,
        message: Outbound,
        span: &Span,
        propagate: bool,
    ) -> Result<Sent, SendError> {
        let prepared = self.prepare(message, span, propagate)?;
        let request = self.client.send_message().queue_url(&*self.url);
        let sent = request
            .message_body(prepared.body)
            .set_message_attributes(Some(prepared.attributes))
            .set_message_group_id(prepared.group)
            .set_message_deduplication_id(prepared.deduplication_id)
            .send()
            .await
            .map_err(|error| self.not_sent(&error))?;
        if let Some(id) = sent.request_id() {
            span::set(span, AWS_REQUEST_ID, id.to_owned());
        }
        let message_id = sent.message_id.unwrap_or_default();
        span::set(span, MESSAGING_MESSAGE_ID, message_id.clone());
        Ok(Sent { message_id })
    }

    /// In as few requests as SQS takes, one after the other, so that the order of a message group stays.
    async fn transmit_all(
        &self,
        messages: Vec<(Outbound, Span)>,
        propagate: bool,
    ) -> Vec<Result<Sent, SendError>> {
        let mut answers: Vec<_> = messages.iter().map(|_| None).collect();
        let mut chunk = Vec::new();
        let mut bytes = 0;
        for (index, (message, span)) in messages.into_iter().enumerate() {
            let prepared = match self.prepare(message, &span, propagate) {
                Ok(prepared) => prepared,
                Err(error) => {
                    answers[index] = Some(Err(error));
                    continue;
                }
            };
            let size = prepared.bytes();
            if chunk.len() == MAX_BATCH || bytes + size > MAX_BATCH_BYTES && !chunk.is_empty() {
                self.send_chunk(std::mem::take(&mut chunk), &mut answers)
                    .await;
                bytes = 0;
            }
            bytes += size;
            chunk.push((index, prepared));
        }
        if !chunk.is_empty() {
            self.send_chunk(chunk, &mut answers).await;
        }
        let answers = answers.into_iter();
        let answers = answers.map(|answer| answer.unwrap_or_else(|| Err(self.unanswered())));
        answers.collect()
    }

    async fn check(&self) -> Result<(), ConnectError> {
        self.look_up().await
    }
}

impl Prepared {
    fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| {
            let text = value.string_value().map_or(0, str::len);
            let blob = value.binary_value().map_or(0, |blob| blob.as_ref().len());
            name.len() + value.data_type().len() + text + blob
        });
        self.body.len() + attributes.sum::<usize>()
    }
}

fn entry((index, message): (usize, Prepared)) -> Result<SendMessageBatchRequestEntry, BuildError> {
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(message.body)
        .set_message_attributes(Some(message.attributes))
        .set_message_group_id(message.group)
        .set_message_deduplication_id(message.deduplication_id)
        .build()
}

/// The ids of a batch's entries are the places of their messages.
fn set(answers: &mut [Option<Result<Sent, SendError>>], id: &str, answer: Result<Sent, SendError>) {
    let place = id
        .parse()
        .ok()
        .and_then(|index: usize| answers.get_mut(index));
    if let Some(place) = place {
        *place = Some(answer);
    }
}

/// SQS would say the same again.
fn is_permanent(code: &str) -> bool {
    let code = code.rsplit('.').next().unwrap_or_default();
    matches!(
        code,
        "InvalidMessageContents"
            | "InvalidParameterValue"
            | "InvalidParameterCombination"
            | "MissingParameter"
            | "InvalidAttributeValue"
            | "InvalidAttributeName"
            | "BatchRequestTooLong"
            | "MessageTooLong"
    )
}

fn attributes(headers: &Headers) -> HashMap<String, MessageAttributeValue> {
    let mut attributes = HashMap::new();
    for (name, value) in headers.iter() {
        // SQS knows no attribute without a value.
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            attributes.insert(name.to_owned(), attribute(value));
        }
    }
    attributes
}

fn attribute(value: &Bytes) -> MessageAttributeValue {
    let attribute = MessageAttributeValue::builder();
    let attribute = match std::str::from_utf8(value) {
        Ok(text) => attribute.data_type("String").string_value(text),
        Err(_) => attribute
            .data_type("Binary")
            .binary_value(Blob::new(value.as_ref())),
    };
    attribute.build().expect("it has a data type")
}

/// The message's attributes as headers, without the labels of their types.
pub(super) fn headers(message: &Message) -> Headers {
    let attributes = message.message_attributes().into_iter().flatten();
    attributes
        .filter_map(|(name, value)| {
            let text = value.string_value().map(str::as_bytes);
            let value = text.or_else(|| value.binary_value().map(AsRef::as_ref))?;
            Some((name.clone(), Bytes::copy_from_slice(value)))
        })
        .collect()
}
