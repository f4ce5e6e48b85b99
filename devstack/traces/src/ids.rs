//! Reads the ids of spans and traces, from the wire and from what people paste.

use story::{InvalidId, SpanId, TraceId};

/// `None` unless these are 16 bytes that are not all zero, as W3C Trace Context wants.
pub(crate) fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    let id = TraceId(bytes.try_into().ok()?);
    (id.0 != [0; 16]).then_some(id)
}

/// `None` unless these are 8 bytes that are not all zero.
pub(crate) fn span_id(bytes: &[u8]) -> Option<SpanId> {
    let id = SpanId(bytes.try_into().ok()?);
    (id.0 != [0; 8]).then_some(id)
}

/// Reads either case, and, as Jaeger does, short ids as if padded with zeros on the left.
pub(crate) fn pasted(text: &str) -> Result<TraceId, InvalidId> {
    format!("{text:0>32}").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pads_a_short_trace_id_on_the_left() {
        let id = pasted("AbC").unwrap();
        assert_eq!(id.to_string(), "00000000000000000000000000000abc");
    }

    #[test]
    fn refuses_what_is_not_a_trace_id() {
        for text in ["", "+1", "ä", &"0".repeat(32), &"1".repeat(33)] {
            assert!(pasted(text).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_bytes_that_are_all_zero_or_of_the_wrong_length() {
        assert_eq!(trace_id(&[0; 16]), None);
        assert_eq!(trace_id(&[1; 8]), None);
        assert_eq!(span_id(&[0; 8]), None);
        assert_eq!(span_id(&[1; 16]), None);
        assert!(span_id(&[1; 8]).is_some());
    }
}
