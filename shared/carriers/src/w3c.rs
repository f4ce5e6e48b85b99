//! The names of W3C Trace Context and Baggage, and whether a `traceparent` is one.

pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";
pub(crate) const BAGGAGE: &str = "baggage";

/// What the W3C propagators write, the most important first.
///
/// Without `traceparent` there is no trace; without `tracestate` a backend may lose its sampling weights; `baggage` is
/// the application's own.
pub(crate) const FIELDS: [&str; 3] = [TRACEPARENT, TRACESTATE, BAGGAGE];

/// Whether `traceparent` names a span.
/// <https://www.w3.org/TR/trace-context/#traceparent-header-field-values>
///
/// This is as strict as the specification; a propagator may be more lenient, so it decides only between two contexts.
pub(crate) fn is_usable(traceparent: &str) -> bool {
    let mut fields = traceparent.trim().split('-');
    let mut field = |length| fields.next().filter(|field| is_lower_hex(field, length));
    let (Some(version), Some(trace_id), Some(span_id), Some(_)) =
        (field(2), field(32), field(16), field(2))
    else {
        return false;
    };
    // Later versions may have more fields; `ff` is forbidden.
    let known = version != "ff" && (version != "00" || fields.next().is_none());
    known && !is_zero(trace_id) && !is_zero(span_id)
}

/// Whether `text` is `length` hexadecimal digits, none in upper case.
fn is_lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|digit| digit == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_specification_allows() {
        for traceparent in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-of-a-later-version",
        ] {
            assert!(is_usable(traceparent), "{traceparent}");
        }
    }

    #[test]
    fn refuses_what_names_no_span() {
        for traceparent in [
            "",
            "garbage",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0é-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(!is_usable(traceparent), "{traceparent}");
        }
    }
}
