//! How much the store keeps and accepts.

/// The bounds of a store.
///
/// When one of the first two is passed, the traces whose first span arrived earliest are dropped, whole, and counted.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Spans kept, over all traces.
    pub max_spans: usize,
    /// Bytes of kept spans in their OTLP encoding, and of their links; other indexes come on top, at roughly half a
    /// kilobyte a span.
    pub max_span_bytes: usize,
    /// Spans kept of one trace; further ones are rejected, so that one runaway trace cannot push out all others.
    pub max_spans_per_trace: usize,
    /// Log records kept, over all traces; those of the trace that logged first are dropped first.
    pub max_logs: usize,
    /// Bytes of kept log records, in their OTLP encoding.
    pub max_log_bytes: usize,
    /// Bytes of one export request, after decompression; a larger one is refused.
    pub max_request_bytes: usize,
}

const MIB: usize = 1024 * 1024;

impl Default for Limits {
    /// Room for some five thousand orders, at under half a gigabyte in the worst case.
    fn default() -> Self {
        Self {
            max_spans: 150_000,
            max_span_bytes: 192 * MIB,
            max_spans_per_trace: 20_000,
            max_logs: 50_000,
            max_log_bytes: 64 * MIB,
            max_request_bytes: 16 * MIB,
        }
    }
}
