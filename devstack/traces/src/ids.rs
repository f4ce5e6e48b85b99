//! Reads what people paste.

use story::{InvalidId, TraceId};

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
}
