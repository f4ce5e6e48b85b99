//! Messages are deleted and given back in batches: what has come up while the last requests were under way.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};
use futures::future::join_all;
use tokio::sync::mpsc;

use super::producer::Queue;
use super::{MAX_BATCH, reason};

/// What is settled in one go, in several requests side by side.
const AT_ONCE: usize = 8 * MAX_BATCH;

/// What becomes of a message, by its receipt handle.
#[derive(Debug)]
pub(super) enum Settlement {
    Delete(String),
    /// It becomes visible after so many seconds.
    ChangeVisibility(String, i32),
}

pub(super) type Settlements = mpsc::UnboundedSender<Settlement>;

/// Settles until nobody can send any more.
pub(super) async fn settle(queue: &Queue, mut settlements: mpsc::UnboundedReceiver<Settlement>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while settlements.recv_many(&mut batch, AT_ONCE).await > 0 {
        let (mut done, mut given_back) = (Vec::new(), Vec::new());
        for settlement in batch.drain(..) {
            match settlement {
                Settlement::Delete(handle) => done.push(handle),
                Settlement::ChangeVisibility(handle, seconds) => given_back.push((handle, seconds)),
            }
        }
        let deletes = done.chunks(MAX_BATCH).map(|some| delete(queue, some));
        let changes = given_back
            .chunks(MAX_BATCH)
            .map(|some| change_visibility(queue, some));
        tokio::join!(join_all(deletes), join_all(changes));
    }
}

async fn delete(queue: &Queue, handles: &[String]) {
    let entries = handles.iter().enumerate().map(|(index, handle)| {
        DeleteMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .receipt_handle(handle)
            .build()
            .expect("an id and a handle are all that it wants")
    });
    let request = queue.client.delete_message_batch();
    let request = request.queue_url(&*queue.url);
    let answer = request.set_entries(Some(entries.collect())).send().await;
    if let Some(reason) = first_failure(answer, |answer| answer.failed()) {
        let queue = &queue.destination.name;
        tracing::warn!(queue, reason, "not deleted, a message will come again");
    }
}

/// Sets for each message when it becomes visible, in seconds from now.
pub(super) async fn change_visibility(queue: &Queue, messages: &[(String, i32)]) {
    let entries = messages
        .iter()
        .enumerate()
        .map(|(index, (handle, seconds))| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(handle)
                .visibility_timeout(*seconds)
                .build()
                .expect("an id and a handle are all that it wants")
        });
    let request = queue.client.change_message_visibility_batch();
    let request = request.queue_url(&*queue.url);
    let answer = request.set_entries(Some(entries.collect())).send().await;
    if let Some(reason) = first_failure(answer, |answer| answer.failed()) {
        let queue = &queue.destination.name;
        tracing::warn!(
            queue,
            reason,
            "the visibility timeout of a message stays as it was"
        );
    }
}

/// Why the request failed, or the first of its entries.
fn first_failure<T, E>(
    answer: Result<T, SdkError<E>>,
    failed: impl FnOnce(&T) -> &[BatchResultErrorEntry],
) -> Option<String>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    match answer {
        Ok(answer) => {
            let entry = failed(&answer).first()?;
            Some(entry.message().unwrap_or(entry.code()).to_owned())
        }
        Err(error) => Some(reason(&error)),
    }
}
