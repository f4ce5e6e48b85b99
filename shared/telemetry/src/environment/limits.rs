//! How much is queued, how much is sent at once, and how large a span or a log record may be.

use std::time::Duration;

use super::reader::Reader;

/// Long enough for what people look at, and short enough that a full batch of spans reaches its backend: the
/// specification has no limit, and one `User-Agent` of 60 KB on each span costs every one of them.
const VALUE_LENGTH: u32 = 4096;
const COUNT: u32 = 128;
/// The SDK's queues take their memory at once.
const MOST_QUEUED: u32 = 1_000_000;

/// A queue and what is taken from it at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) queued: usize,
    pub(crate) at_once: usize,
    pub(crate) delay: Duration,
    pub(crate) timeout: Duration,
}

pub(super) fn batch(reader: &mut Reader<'_>, of: &str, delay: Duration) -> Batch {
    let name = |what: &str| format!("OTEL_{of}_{what}");
    let queued = reader
        .number(&name("MAX_QUEUE_SIZE"), 1..=MOST_QUEUED)
        .unwrap_or(2048);
    let size_of_batch = name("MAX_EXPORT_BATCH_SIZE");
    let asked = reader.number(&size_of_batch, 1..=i32::MAX as u32);
    if asked.is_some_and(|asked| asked > queued) {
        let why = format!("it is more than the queue holds, and counts as {queued}");
        reader.warn(&size_of_batch, &why);
    }
    let at_once = asked.unwrap_or(512).min(queued);
    let asked = reader.duration(&name("SCHEDULE_DELAY"));
    Batch {
        queued: queued as usize,
        at_once: at_once as usize,
        // Without any delay the exporting thread would never rest.
        delay: asked.unwrap_or(delay).max(Duration::from_millis(1)),
        timeout: reader
            .timeout(&name("EXPORT_TIMEOUT"))
            .unwrap_or(Duration::from_secs(30)),
    }
}

/// The limits of a span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// In characters.
    pub(crate) value_length: usize,
    pub(crate) attributes: u32,
    pub(crate) events: u32,
    pub(crate) links: u32,
    pub(crate) attributes_of_an_event: u32,
    pub(crate) attributes_of_a_link: u32,
}

/// The limits of a log record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogLimits {
    /// In characters.
    pub(crate) value_length: usize,
    pub(crate) attributes: usize,
}

pub(super) fn of_spans(reader: &mut Reader<'_>) -> Limits {
    let every = every_attribute_count(reader);
    Limits {
        value_length: value_length(reader, "SPAN"),
        attributes: count(reader, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", every),
        events: count(reader, "OTEL_SPAN_EVENT_COUNT_LIMIT", COUNT),
        links: count(reader, "OTEL_SPAN_LINK_COUNT_LIMIT", COUNT),
        attributes_of_an_event: count(reader, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", every),
        attributes_of_a_link: count(reader, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", every),
    }
}

pub(super) fn of_log_records(reader: &mut Reader<'_>) -> LogLimits {
    let every = every_attribute_count(reader);
    LogLimits {
        value_length: value_length(reader, "LOGRECORD"),
        attributes: count(reader, "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", every) as usize,
    }
}

fn every_attribute_count(reader: &mut Reader<'_>) -> u32 {
    count(reader, "OTEL_ATTRIBUTE_COUNT_LIMIT", COUNT)
}

fn value_length(reader: &mut Reader<'_>, of: &str) -> usize {
    let every = count(reader, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", VALUE_LENGTH);
    let name = format!("OTEL_{of}_ATTRIBUTE_VALUE_LENGTH_LIMIT");
    count(reader, &name, every) as usize
}

fn count(reader: &mut Reader<'_>, name: &str, default: u32) -> u32 {
    reader.number(name, 0..=i32::MAX as u32).unwrap_or(default)
}
