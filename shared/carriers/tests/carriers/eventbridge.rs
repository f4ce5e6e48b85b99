use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use otel_carriers::eventbridge::{MAX_ENTRY_BYTES, MetadataExtractor, MetadataInjector};
use serde_json::{Value, json};

use crate::helpers::{TRACEPARENT, assert_same, baggage_first, context, extract, inject, w3c};

fn event(detail: &str) -> String {
    format!(r#"{{"version":"0","detail-type":"order.created","source":"shop","detail":{detail}}}"#)
}

fn set(detail: &str, key: &str, value: &str) -> (String, usize) {
    let mut detail = detail.to_owned();
    let mut injector = MetadataInjector::new(&mut detail);
    injector.set(key, value.to_owned());
    let left_out = injector.left_out();
    (detail, left_out)
}

#[test]
fn carries_a_context_in_any_object() {
    for detail in [
        "{}",
        " { \n } ",
        r#"{"order_id": 7}"#,
        "{\"a\": {\"b\": [1]}}\r\n",
    ] {
        let mut detail = detail.to_owned();
        let mut injector = MetadataInjector::new(&mut detail);
        inject(&context(), &mut injector);
        assert_eq!(injector.left_out(), 0);
        assert_same(
            &extract(&MetadataExtractor::new(&event(&detail))),
            &context(),
        );
        // Without its envelope too, as with the input path `$.detail`.
        assert_same(&extract(&MetadataExtractor::new(&detail)), &context());
    }
}

#[test]
fn leaves_the_other_members_as_they_are_written() {
    let detail = r#"{"price": 1.10, "count": 12345678901234567890123, "a": "\u0061", "a": 2}"#;
    let (written, _) = set(detail, "traceparent", "new");
    let expected = detail.replace("2}", r#"2,"traceparent":"new"}"#);
    assert_eq!(written, expected);
    let (again, _) = set(&written, "traceparent", "newer");
    let expected = r#"{"price":1.10,"count":12345678901234567890123,"a":"\u0061","a":2,"traceparent":"newer"}"#;
    assert_eq!(again, expected);
}

#[test]
fn escapes_what_json_escapes() {
    let (detail, _) = set("{}", "na\"me", "va\\lue\n\u{1}é");
    let read: Value = serde_json::from_str(&detail).expect("it is JSON");
    assert_eq!(read["na\"me"], "va\\lue\n\u{1}é");
}

#[test]
fn replaces_a_key_in_any_case_and_spelling_of_json() {
    let detail = r#"{"TraceParent": "old", "traceparen\u0074": "older", "other": "kept"}"#;
    let (detail, left_out) = set(detail, "traceparent", "new");
    assert_eq!(left_out, 0);
    assert_eq!(detail, r#"{"other":"kept","traceparent":"new"}"#);
}

#[test]
fn an_empty_value_takes_the_old_one_out() {
    let (detail, left_out) = set(r#"{"tracestate": "a=b"}"#, "tracestate", "");
    assert_eq!((&*detail, left_out), ("{}", 0));
}

#[test]
fn leaves_alone_and_counts_what_is_no_object() {
    for detail in [
        "",
        "null",
        "7",
        "[1]",
        "\"text\"",
        "{\"cut\": ",
        "{} {}",
        "an order",
    ] {
        let (written, left_out) = set(detail, "traceparent", TRACEPARENT);
        assert_eq!((&*written, left_out), (detail, 1));
        assert_eq!(set(detail, "tracestate", ""), (detail.to_owned(), 0));
    }
}

#[test]
fn leaves_alone_what_the_application_means_by_the_same_name() {
    for detail in [
        r#"{"baggage": 2}"#,
        r#"{"baggage": [{"weight": 23}]}"#,
        r#"{"baggage": "two pieces"}"#,
        r#"{"baggage": null, "traceparent": {}}"#,
    ] {
        let (written, left_out) = set(detail, "baggage", "a=b");
        assert_eq!((&*written, left_out), (detail, 1));
        assert_eq!(set(detail, "baggage", "").0, detail);
    }
}

#[test]
fn gives_the_last_bytes_to_traceparent_in_whatever_order_it_is_written() {
    let room = json!({"traceparent": TRACEPARENT}).to_string().len() + 1;
    for propagator in [w3c(), baggage_first()] {
        let mut detail = "{}".to_owned();
        let mut injector = MetadataInjector::new(&mut detail).with_room(room);
        propagator.inject_context(&context(), &mut injector);
        assert_eq!(injector.left_out(), 2);
        let expected = json!({"traceparent": TRACEPARENT}).to_string();
        assert_eq!(detail, expected);
    }
}

#[test]
fn an_event_that_is_full_goes_without() {
    let full = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_ENTRY_BYTES - 8));
    let (written, left_out) = set(&full, "traceparent", TRACEPARENT);
    assert_eq!(left_out, 1);
    assert!(written == full);
}

#[test]
fn takes_nothing_out_of_an_event_that_is_too_full_anyway() {
    let mut detail = r#"{"baggage": "a=b"}"#.to_owned();
    let mut injector = MetadataInjector::new(&mut detail).with_room(3);
    injector.set("traceparent", TRACEPARENT.to_owned());
    assert_eq!(injector.left_out(), 1);
    assert_eq!(detail, r#"{"baggage": "a=b"}"#);
}

#[test]
fn what_is_no_event_has_no_context() {
    for body in ["", "an order", "{}", r#"{"detail-type": "a", "detail": 7}"#] {
        let read = MetadataExtractor::new(body);
        assert_eq!(read.get("traceparent"), None);
        assert!(read.keys().is_empty());
    }
}
