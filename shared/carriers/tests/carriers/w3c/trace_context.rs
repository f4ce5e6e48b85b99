use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

use super::carriers::{CARRIERS, Sent};

/// The ids in all cases.
const TRACE: &str = "12345678901234567890123456789012";
const PARENT: &str = "1234567890123456";

/// What is continued: flags and `tracestate`; or nothing.
type Continued = Option<(&'static str, String)>;
type Case = (&'static str, Vec<(&'static str, String)>, Continued);

fn parent(rest: &str) -> (&'static str, String) {
    ("traceparent", rest.replace('T', TRACE).replace('P', PARENT))
}

fn state(text: &str) -> (&'static str, String) {
    ("tracestate", text.to_owned())
}

/// A case with this `traceparent` alone; `T` and `P` stand for the ids.
fn alone(of: &'static str, traceparent: &str, flags: Option<&'static str>) -> Case {
    let continued = flags.map(|flags| (flags, String::new()));
    (of, vec![parent(traceparent)], continued)
}

/// A case with a good `traceparent` and these `tracestate`, and what of them goes on.
fn with_state(of: &'static str, lists: &[&str], goes_on: &str) -> Case {
    let lists = lists.iter().map(|list| state(list));
    let sent = std::iter::once(parent("00-T-P-00")).chain(lists);
    (of, sent.collect(), Some(("00", goes_on.to_owned())))
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn traceparents() -> Vec<Case> {
    let one = Some("01");
    let named = |name, of| (of, vec![(name, parent("00-T-P-01").1)], None);
    let cased = |name| {
        let of = "test_traceparent_header_name_valid_casing";
        (
            of,
            vec![(name, parent("00-T-P-01").1)],
            Some(("01", String::new())),
        )
    };
    let long = "1234567890123456789012345678901";
    vec![
        ("test_both_traceparent_and_tracestate_missing", vec![], None),
        alone(
            "test_traceparent_included_tracestate_missing",
            "00-T-P-01",
            one,
        ),
        named("trace-parent", "test_traceparent_header_name"),
        named("trace.parent", "test_traceparent_header_name"),
        cased("TraceParent"),
        cased("TrAcEpArEnT"),
        cased("TRACEPARENT"),
        alone("test_traceparent_version_0x00", "00-T-P-01.", None),
        alone(
            "test_traceparent_version_0x00",
            "00-T-P-01-what-the-future-will-be-like",
            None,
        ),
        alone("test_traceparent_version_0xcc", "cc-T-P-01", one),
        alone(
            "test_traceparent_version_0xcc",
            "cc-T-P-01-what-the-future-will-be-like",
            one,
        ),
        alone(
            "test_traceparent_version_0xcc",
            "cc-T-P-01.what-the-future-will-be-like",
            None,
        ),
        alone("test_traceparent_version_0xff", "ff-T-P-01", None),
        alone(
            "test_traceparent_version_illegal_characters",
            ".0-T-P-01",
            None,
        ),
        alone(
            "test_traceparent_version_illegal_characters",
            "0.-T-P-01",
            None,
        ),
        alone("test_traceparent_version_too_long", "000-T-P-01", None),
        alone("test_traceparent_version_too_long", "0000-T-P-01", None),
        alone("test_traceparent_version_too_short", "0-T-P-01", None),
        alone(
            "test_traceparent_trace_id_all_zero",
            &format!("00-{:032}-P-01", 0),
            None,
        ),
        alone(
            "test_traceparent_trace_id_illegal_characters",
            &format!("00-.{long}-P-01"),
            None,
        ),
        alone(
            "test_traceparent_trace_id_illegal_characters",
            &format!("00-{long}.-P-01"),
            None,
        ),
        alone("test_traceparent_trace_id_too_long", "00-T3-P-01", None),
        alone(
            "test_traceparent_trace_id_too_short",
            &format!("00-{long}-P-01"),
            None,
        ),
        alone(
            "test_traceparent_parent_id_all_zero",
            "00-T-0000000000000000-01",
            None,
        ),
        alone(
            "test_traceparent_parent_id_illegal_characters",
            "00-T-.234567890123456-01",
            None,
        ),
        alone(
            "test_traceparent_parent_id_illegal_characters",
            "00-T-123456789012345.-01",
            None,
        ),
        alone("test_traceparent_parent_id_too_long", "00-T-P7-01", None),
        alone(
            "test_traceparent_parent_id_too_short",
            "00-T-123456789012345-01",
            None,
        ),
        alone(
            "test_traceparent_trace_flags_illegal_characters",
            "00-T-P-.0",
            None,
        ),
        alone(
            "test_traceparent_trace_flags_illegal_characters",
            "00-T-P-0.",
            None,
        ),
        alone("test_traceparent_trace_flags_too_long", "00-T-P-001", None),
        alone("test_traceparent_trace_flags_too_short", "00-T-P-1", None),
        alone("test_traceparent_ows_handling", " 00-T-P-01", one),
        alone("test_traceparent_ows_handling", "\t00-T-P-01", one),
        alone("test_traceparent_ows_handling", "00-T-P-01 ", one),
        alone("test_traceparent_ows_handling", "00-T-P-01\t", one),
        alone("test_traceparent_ows_handling", "\t 00-T-P-01 \t", one),
        (
            "test_tracestate_included_traceparent_missing",
            vec![state("foo=1")],
            None,
        ),
        (
            "test_tracestate_included_traceparent_missing",
            vec![state("foo=1,bar=2")],
            None,
        ),
        // Ours: what a few systems send, and flags by level 2.
        alone("ids of the wrong length", "00-abc-12-1", None),
        alone("a version in upper case", "CC-T-P-01", None),
        alone("a span id in upper case", "00-T-ABCDEF0123456789-01", None),
        alone("spaces inside", "00 -T-P-01", None),
        alone("two in one header", "00-T-P-01,00-T-P-01", None),
        alone("no flags", "00-T-P", None),
        alone("no flags, but their dash", "00-T-P-", None),
        alone("empty", "", None),
        alone("not sampled", "00-T-P-00", Some("00")),
        alone("random", "00-T-P-02", Some("02")),
        alone("random and sampled", "00-T-P-03", Some("03")),
        alone("flags that nobody knows", "00-T-P-ff", Some("03")),
        alone("flags of a later version", "01-T-P-09", Some("01")),
    ]
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn tracestates() -> Vec<Case> {
    let key = format!("{}0123456789_-*/", ('a'..='z').collect::<String>());
    let value: String = (' '..='~').filter(|c| !",=".contains(*c)).collect();
    let whole = format!("{key}={value}");
    let with_vendor = format!("{key}@a-z0-9_-*/={value}");
    let numbered = |from: u8, to: u8| -> String {
        let members: Vec<_> = (from..=to).map(|n| format!("bar{n:02}={n:02}")).collect();
        members.join(",")
    };
    let (tens, twenties) = (numbered(1, 20), numbered(21, 31));
    let all = format!("{tens},{twenties},bar32=32");
    let longest = format!("{}=1", "z".repeat(256));
    let both = "test_tracestate_included_traceparent_included";
    let named = |name| (name, "foo=1".to_owned());
    let misnamed = |name| {
        let sent = vec![parent("00-T-P-00"), named(name)];
        (
            "test_tracestate_header_name",
            sent,
            Some(("00", String::new())),
        )
    };
    let cased = |name| {
        let sent = vec![parent("00-T-P-00"), named(name)];
        let of = "test_tracestate_header_name_valid_casing";
        (of, sent, Some(("00", "foo=1".to_owned())))
    };
    let ows = |list| with_state("test_tracestate_ows_handling", &[list], "foo=1");
    let three = |list| with_state("test_tracestate_ows_handling", &[list], "foo=1,bar=2,baz=3");
    let refused = |of, list| with_state(of, &[list], "");
    let length = "test_tracestate_key_length_limit";
    let illegal = "test_tracestate_key_illegal_characters";
    let vendor = "test_tracestate_key_illegal_vendor_format";
    vec![
        with_state(both, &["foo=1,bar=2"], "foo=1,bar=2"),
        misnamed("trace-state"),
        misnamed("trace.state"),
        cased("TraceState"),
        cased("TrAcEsTaTe"),
        cased("TRACESTATE"),
        with_state("test_tracestate_empty_header", &[""], ""),
        with_state("test_tracestate_empty_header", &["foo=1", ""], "foo=1"),
        with_state("test_tracestate_empty_header", &["", "foo=1"], "foo=1"),
        with_state(
            "test_tracestate_multiple_headers_different_keys",
            &["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
            "foo=1,bar=2,rojo=1,congo=2,baz=3",
        ),
        with_state("test_tracestate_duplicated_keys", &["foo=1,foo=1"], ""),
        with_state("test_tracestate_duplicated_keys", &["foo=1,foo=2"], ""),
        with_state("test_tracestate_duplicated_keys", &["foo=1", "foo=1"], ""),
        with_state("test_tracestate_duplicated_keys", &["foo=1", "foo=2"], ""),
        with_state("test_tracestate_all_allowed_characters", &[&whole], &whole),
        with_state(
            "test_tracestate_all_allowed_characters",
            &[&with_vendor],
            &with_vendor,
        ),
        three("foo=1 \t , \t bar=2, \t baz=3"),
        three("foo=1\t \t,\t \tbar=2,\t \tbaz=3"),
        ows(" foo=1"),
        ows("\tfoo=1"),
        ows("foo=1 "),
        ows("foo=1\t"),
        ows("\t foo=1 \t"),
        refused(illegal, "foo =1"),
        refused(illegal, "FOO=1"),
        refused(illegal, "foo.bar=1"),
        refused(vendor, "foo@=1,bar=2"),
        refused(vendor, "@foo=1,bar=2"),
        refused(vendor, "foo@@bar=1,bar=2"),
        refused(vendor, "foo@bar@baz=1,bar=2"),
        with_state(
            "test_tracestate_member_count_limit",
            &[&tens, &twenties, "bar32=32"],
            &all,
        ),
        with_state("test_tracestate_member_count_limit", &[&all], &all),
        with_state(
            "test_tracestate_member_count_limit",
            &[&tens, &twenties, "bar32=32,bar33=33"],
            "",
        ),
        refused(
            "test_tracestate_member_count_limit",
            &format!("{all},bar33=33"),
        ),
        with_state(length, &["foo=1", &longest], &format!("foo=1,{longest}")),
        refused(length, &format!("foo=1,z{longest}")),
        with_state(
            length,
            &[&format!("foo=1,{}@{}=1", "t".repeat(241), "v".repeat(14))],
            "foo=1",
        ),
        refused(length, &format!("foo=1,{}@v=1", "t".repeat(242))),
        refused(length, &format!("foo=1,t@{}=1", "v".repeat(15))),
        refused("test_tracestate_value_illegal_characters", "foo=bar=baz"),
        refused("test_tracestate_value_illegal_characters", "foo=,bar=3"),
        // Ours.
        refused("no value", "foo,bar=3"),
        refused("a tab in a value", "foo=1\t2"),
        refused(
            "a value that is too long",
            &format!("foo={}", "v".repeat(257)),
        ),
        with_state("a digit in front", &["1foo=1"], "1foo=1"),
        with_state("a tenant", &["1t@vendor=1,rojo=2"], "1t@vendor=1,rojo=2"),
        with_state(
            "spaces in front of a value",
            &["foo=  1 , bar=2"],
            "foo=  1,bar=2",
        ),
        with_state("empty members", &["foo=1,, ,\t,bar=2,"], "foo=1,bar=2"),
    ]
}

fn continued(context: &Context) -> Continued {
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return None;
    }
    assert!(span.is_remote());
    assert_eq!(span.trace_id().to_string(), TRACE);
    assert_eq!(span.span_id().to_string(), PARENT);
    let flags = match span.trace_flags().to_u8() {
        0 => "00",
        1 => "01",
        2 => "02",
        3 => "03",
        _ => "others",
    };
    Some((flags, span.trace_state().header()))
}

/// Whether attributes, which are a map, have no form for it.
fn repeats(sent: Sent) -> bool {
    let mut names: Vec<_> = sent.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

#[test]
fn the_cases_of_trace_context_hold_over_each_carrier() {
    for (of, sent, expected) in traceparents().into_iter().chain(tracestates()) {
        for (carrier, hop) in CARRIERS {
            let Some(hops) = hop(&sent) else {
                assert!(repeats(&sent), "{of} over {carrier}: {sent:?}");
                continue;
            };
            for context in hops {
                assert_eq!(
                    continued(&context),
                    expected,
                    "{of} over {carrier}: {sent:?}"
                );
            }
        }
    }
}

/// `test_traceparent_duplicated`: Kafka's headers are appended to when a record is sent again, so there the last counts.
#[test]
fn several_traceparents_are_none_but_on_kafka_the_newest_counts() {
    let other = TRACE.replace("9012", "9011");
    for both in [[other.as_str(), TRACE], [TRACE, TRACE]] {
        let traceparents = both.map(|id| ("traceparent", format!("00-{id}-{PARENT}-01")));
        for (carrier, hop) in CARRIERS {
            let newest = (carrier == "Kafka").then(|| ("01", String::new()));
            for context in hop(&traceparents).into_iter().flatten() {
                assert_eq!(continued(&context), newest, "{carrier}");
            }
        }
    }
}

#[test]
fn a_kafka_record_that_was_given_a_context_twice_has_the_second_one_whole() {
    let (_, over_kafka) = CARRIERS[1];
    let sent = [
        ("traceparent", format!("00-{PARENT}{PARENT}-{PARENT}-01")),
        state("foo=old"),
        ("baggage", "order.id=6,old=1".to_owned()),
        parent("00-T-P-00"),
        state("foo=new"),
        ("baggage", "order.id=7".to_owned()),
    ];
    for context in over_kafka(&sent).unwrap() {
        assert_eq!(continued(&context), Some(("00", "foo=new".to_owned())));
        let baggage = super::baggage::members(&context);
        assert_eq!(baggage, [("order.id", "7", "")].map(super::baggage::owned));
    }
}
