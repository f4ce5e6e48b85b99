//! One span, as small as it can be kept.

use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;

use crate::ids::{SpanId, TraceId};
use crate::source::{Origin, Scope};

/// What is asked about spans often stands beside the span; the rest stays in its OTLP encoding.
///
/// Decoded, a span with fifteen attributes takes three times the memory, in some sixty allocations.
#[derive(Debug)]
pub(crate) struct StoredSpan {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) start_nanos: u64,
    pub(crate) end_nanos: u64,
    pub(crate) name: Arc<str>,
    pub(crate) kind: SpanKind,
    pub(crate) failed: bool,
    pub(crate) links: Box<[SpanRef]>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) scope: Arc<Scope>,
    encoded: Box<[u8]>,
}

/// A span somewhere, in this trace or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SpanRef {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
}

/// Why a span is not kept.
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
}

impl StoredSpan {
    /// `name` is the span's own name, shared.
    pub(crate) fn new(
        span: &Span,
        name: Arc<str>,
        origin: Arc<Origin>,
        scope: Arc<Scope>,
    ) -> Result<(TraceId, Self), Rejection> {
        let trace_id = TraceId::from_bytes(&span.trace_id).ok_or(Rejection::TraceId)?;
        let stored = Self {
            id: SpanId::from_bytes(&span.span_id).ok_or(Rejection::SpanId)?,
            parent: parent(&span.parent_span_id)?,
            start_nanos: span.start_time_unix_nano,
            end_nanos: span.end_time_unix_nano,
            name,
            kind: span.kind(),
            failed: span
                .status
                .as_ref()
                .is_some_and(|status| status.code() == StatusCode::Error),
            links: span.links.iter().filter_map(SpanRef::of).collect(),
            origin,
            scope,
            encoded: span.encode_to_vec().into(),
        };
        Ok((trace_id, stored))
    }

    /// The span as it was sent.
    pub(crate) fn decode(&self) -> Span {
        Span::decode(&*self.encoded).expect("it was encoded here, from a span")
    }

    /// Nanoseconds; zero for a span whose clock went backwards.
    pub(crate) fn duration_nanos(&self) -> u64 {
        self.end_nanos.saturating_sub(self.start_nanos)
    }

    /// Bytes that count towards [`crate::Limits::max_span_bytes`].
    pub(crate) fn size(&self) -> usize {
        /// A link takes 30 bytes encoded and several times that in the index of backlinks.
        const INDEXED_LINK: usize = 128;
        self.encoded.len() + self.links.len() * INDEXED_LINK
    }
}

/// All zeros stand for "no parent" too: some exporters write the invalid id rather than nothing.
fn parent(bytes: &[u8]) -> Result<Option<SpanId>, Rejection> {
    match bytes.len() {
        0 | 8 => Ok(SpanId::from_bytes(bytes)),
        _ => Err(Rejection::ParentSpanId),
    }
}

impl SpanRef {
    /// `None` when the link's ids are not valid: such a link leads nowhere, but is no reason to lose the span.
    pub(crate) fn of(link: &Link) -> Option<Self> {
        Some(Self {
            trace_id: TraceId::from_bytes(&link.trace_id)?,
            span_id: SpanId::from_bytes(&link.span_id)?,
        })
    }
}

/// The kind as Jaeger spells it; `None` for an unspecified one.
pub(crate) fn kind_text(kind: SpanKind) -> Option<&'static str> {
    match kind {
        SpanKind::Unspecified => None,
        SpanKind::Internal => Some("internal"),
        SpanKind::Server => Some("server"),
        SpanKind::Client => Some("client"),
        SpanKind::Producer => Some("producer"),
        SpanKind::Consumer => Some("consumer"),
    }
}
