//! The limits of Amazon SQS, as its quota pages state them.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html>

use std::ops::RangeInclusive;

/// Bytes of one message and of one batch: body, and the names, types and values of its attributes.
pub(crate) const MAX_MESSAGE_BYTES: u64 = 1_048_576;

/// Message attributes on one message.
pub(crate) const MAX_MESSAGE_ATTRIBUTES: usize = 10;

/// Characters in the name, and in the data type, of a message attribute.
pub(crate) const MAX_ATTRIBUTE_NAME: usize = 256;

/// Messages of one queue that were received and neither deleted nor returned.
pub(crate) const MAX_IN_FLIGHT: usize = 120_000;

/// Entries of one batch request, and messages of one receive.
pub(crate) const MAX_BATCH_ENTRIES: usize = 10;

/// Characters in the name of a queue, and in the id of a batch entry.
pub(crate) const MAX_NAME: usize = 80;

/// Characters in the id of a message group, and in a deduplication id.
pub(crate) const MAX_MESSAGE_ID: usize = 128;

/// Seconds for which a FIFO queue takes a message with the same deduplication id for the same message.
pub(crate) const DEDUPLICATION_SECONDS: u64 = 300;

/// Tags on one queue.
pub(crate) const MAX_TAGS: usize = 50;

/// Results on one page of a list.
pub(crate) const MAX_PAGE: usize = 1_000;

/// Seconds between the deletion of a queue and its re-creation, and between two purges of a queue.
pub(crate) const COOL_DOWN_SECONDS: u64 = 60;

pub(crate) const DELAY_SECONDS: RangeInclusive<u64> = 0..=900;
pub(crate) const MAXIMUM_MESSAGE_SIZE: RangeInclusive<u64> = 1_024..=MAX_MESSAGE_BYTES;
pub(crate) const RETENTION_SECONDS: RangeInclusive<u64> = 60..=1_209_600;
pub(crate) const WAIT_TIME_SECONDS: RangeInclusive<u64> = 0..=20;
pub(crate) const VISIBILITY_TIMEOUT: RangeInclusive<u64> = 0..=43_200;
pub(crate) const MAX_RECEIVE_COUNT: RangeInclusive<u64> = 1..=1_000;
pub(crate) const KMS_REUSE_SECONDS: RangeInclusive<u64> = 60..=86_400;
pub(crate) const MOVES_PER_SECOND: RangeInclusive<u64> = 1..=500;
