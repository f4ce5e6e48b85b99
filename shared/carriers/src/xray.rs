//! AWS's own form of a trace context, as SQS carries it in the system attribute `AWSTraceHeader`.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>

use crate::w3c;

/// The `traceparent` that says what `header` says, if it names a span.
///
/// A sampling decision that is still open (`Sampled=?`, or none) counts as not sampled, as it does in OpenTelemetry's
/// own propagators for X-Ray: W3C knows no third state.
pub(crate) fn traceparent(header: &str) -> Option<String> {
    let field = |name| {
        let mut fields = header.split(';').filter_map(|field| field.split_once('='));
        fields.find_map(|(key, value)| (key.trim() == name).then_some(value.trim()))
    };
    // `1-<8 digits of time>-<24 digits>`: together the 32 digits of a trace id.
    let (time, rest) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
    let span_id = field("Parent")?;
    let flags = if field("Sampled") == Some("1") {
        "01"
    } else {
        "00"
    };
    let traceparent = format!("00-{time}{rest}-{span_id}-{flags}").to_ascii_lowercase();
    (time.len() == 8 && w3c::is_usable(&traceparent)).then_some(traceparent)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

    #[test]
    fn says_the_same_in_the_words_of_w3c() {
        let header = format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1");
        let expected = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
        assert_eq!(traceparent(&header).as_deref(), Some(expected));
    }

    #[test]
    fn takes_fields_in_any_order_and_passes_over_others() {
        let header =
            format!("Self=1-2-3; Sampled=1 ; Parent=53995C3F42CD8AD8;{ROOT};Lineage=a:1|b:2");
        let expected = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
        assert_eq!(traceparent(&header).as_deref(), Some(expected));
    }

    #[test]
    fn takes_an_open_decision_as_not_sampled() {
        for sampled in ["", ";Sampled=0", ";Sampled=?"] {
            let header = format!("{ROOT};Parent=53995c3f42cd8ad8{sampled}");
            let expected = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00";
            assert_eq!(traceparent(&header).as_deref(), Some(expected), "{header}");
        }
    }

    #[test]
    fn refuses_what_names_no_span() {
        for header in [
            "",
            "garbage",
            ROOT,
            "Parent=53995c3f42cd8ad8",
            "Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "Root=1-5759e98-8bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "Root=1-5759e988-bd862e3fe1be46a99427279;Parent=53995c3f42cd8ad8",
            "Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad",
            "Root=1-5759e98é-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
        ] {
            assert_eq!(traceparent(header), None, "{header}");
        }
    }
}
