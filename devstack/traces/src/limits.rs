//! How much the store keeps and accepts.

/// The bounds of a store.
///
/// When `max_bytes` is passed, the traces that began to arrive earliest are dropped, whole, and counted.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes kept, over all traces: spans with their attributes, events and links, their resources and scopes, log
    /// records, and what the indexes need for them.
    pub max_bytes: usize,
    /// Bytes kept of one trace; further spans and log records are rejected, so that one runaway trace cannot push out
    /// all others.
    pub max_trace_bytes: usize,
    /// Spans kept of one trace, for the same reason.
    pub max_spans_per_trace: usize,
    /// Bytes of one export request, after decompression; a larger one is refused.
    pub max_request_bytes: usize,
    /// Traces in one answer to a search, whatever number it asks for.
    pub max_found: usize,
    /// Bytes of the traces in one answer to a search, but for the first, in their OTLP encoding.
    pub max_found_bytes: usize,
}

const MIB: usize = 1024 * 1024;

impl Default for Limits {
    /// Room for some seven thousand orders.
    fn default() -> Self {
        Self {
            max_bytes: 256 * MIB,
            max_trace_bytes: 32 * MIB,
            max_spans_per_trace: 20_000,
            max_request_bytes: 16 * MIB,
            max_found: 1_000,
            max_found_bytes: 32 * MIB,
        }
    }
}
