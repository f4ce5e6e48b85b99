//! One span and one log record, as small as they can be kept.

use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;
use story::{SpanId, SpanRef, TraceId};

use crate::source::Source;

/// What is asked about spans often stands beside the span; the rest stays in its OTLP encoding.
///
/// Decoded, a span with fifteen attributes takes three times the memory, in some sixty allocations.
#[derive(Debug)]
pub(crate) struct StoredSpan {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) start_nanos: u64,
    pub(crate) end_nanos: u64,
    pub(crate) name: Box<str>,
    pub(crate) failed: bool,
    pub(crate) links: Box<[SpanRef]>,
    pub(crate) resource: Arc<Source>,
    pub(crate) scope: Arc<Source>,
    encoded: Box<[u8]>,
}

/// Why a span or a log record is not kept.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Rejection {
    #[error("trace_id is not 16 bytes with a bit set")]
    TraceId,
    #[error("span_id is not 8 bytes with a bit set")]
    SpanId,
    #[error("parent_span_id is neither empty nor 8 bytes")]
    ParentSpanId,
    #[error("the trace already has {0} spans")]
    TraceFull(usize),
    #[error("more than {0} bytes of a trace are not kept")]
    TooLarge(usize),
}

impl StoredSpan {
    pub(crate) fn new(
        span: &Span,
        resource: Arc<Source>,
        scope: Arc<Source>,
    ) -> Result<(TraceId, Self), Rejection> {
        let trace_id = TraceId::from_bytes(&span.trace_id).ok_or(Rejection::TraceId)?;
        let status = span.status.as_ref();
        let stored = Self {
            id: SpanId::from_bytes(&span.span_id).ok_or(Rejection::SpanId)?,
            parent: parent(&span.parent_span_id)?,
            start_nanos: span.start_time_unix_nano,
            end_nanos: span.end_time_unix_nano,
            name: span.name.as_str().into(),
            failed: status.is_some_and(|status| status.code() == StatusCode::Error),
            links: span.links.iter().filter_map(SpanRef::of_link).collect(),
            resource,
            scope,
            encoded: span.encode_to_vec().into(),
        };
        Ok((trace_id, stored))
    }

    /// The span as it was sent.
    pub(crate) fn decode(&self) -> Span {
        Span::decode(&*self.encoded).expect("it was encoded here, from a span")
    }

    /// Bytes that it takes, its resource and its scope left out.
    pub(crate) fn size(&self) -> usize {
        /// The fields above, and the span's place in its trace.
        const ENTRY: usize = 256;
        /// A link takes 30 bytes encoded and several times that in the index of backlinks.
        const INDEXED_LINK: usize = 192;
        ENTRY + self.name.len() + self.encoded.len() + self.links.len() * INDEXED_LINK
    }
}

/// All zeros stand for "no parent" too: some exporters write the invalid id rather than nothing.
fn parent(bytes: &[u8]) -> Result<Option<SpanId>, Rejection> {
    match bytes.len() {
        0 | 8 => Ok(SpanId::from_bytes(bytes)),
        _ => Err(Rejection::ParentSpanId),
    }
}

/// A log record in its OTLP encoding, and who wrote it.
#[derive(Debug)]
pub(crate) struct StoredLog {
    pub(crate) service: Arc<str>,
    encoded: Box<[u8]>,
}

impl StoredLog {
    pub(crate) fn new(record: &LogRecord, service: Arc<str>) -> Self {
        Self {
            service,
            encoded: record.encode_to_vec().into(),
        }
    }

    /// The record as it was sent.
    pub(crate) fn decode(&self) -> LogRecord {
        LogRecord::decode(&*self.encoded).expect("it was encoded here, from a record")
    }

    /// Bytes that it takes, as if it had its service's name for itself.
    pub(crate) fn size(&self) -> usize {
        const ENTRY: usize = 96;
        ENTRY + self.service.len() + self.encoded.len()
    }
}
