use std::collections::HashMap;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use otel_carriers::pubsub::{
    MAX_ATTRIBUTES, MAX_KEY_BYTES, MAX_VALUE_BYTES, MetadataExtractor, MetadataInjector,
};

use crate::helpers::{
    OTHER_TRACEPARENT, TRACEPARENT, UNUSABLE, assert_same, baggage_first, context, extract, inject,
    traceparent, w3c,
};

type Attributes = HashMap<String, String>;

fn own(count: usize) -> Attributes {
    (0..count)
        .map(|n| (format!("own-{n}"), "kept".to_owned()))
        .collect()
}

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs
        .iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn carries_a_context() {
    let mut attributes = Attributes::new();
    inject(&context(), &mut MetadataInjector::new(&mut attributes));
    assert_same(&extract(&MetadataExtractor::new(&attributes)), &context());
}

#[test]
fn replaces_a_key_in_any_case() {
    let mut attributes = attributes(&[
        ("TraceParent", "old"),
        ("TRACEPARENT", "older"),
        ("other", "kept"),
    ]);
    MetadataInjector::new(&mut attributes).set("traceparent", "new".to_owned());
    assert_eq!(
        attributes,
        self::attributes(&[("traceparent", "new"), ("other", "kept")])
    );
}

#[test]
fn replaces_what_another_client_of_google_wrote() {
    let mut attributes = attributes(&[
        ("googclient_traceparent", OTHER_TRACEPARENT),
        ("googclient_tracestate", "of=another"),
        ("googclient_other", "kept"),
    ]);
    inject(&context(), &mut MetadataInjector::new(&mut attributes));
    assert_same(&extract(&MetadataExtractor::new(&attributes)), &context());
    assert!(!attributes.contains_key("googclient_traceparent"));
    assert!(!attributes.contains_key("googclient_tracestate"));
    assert!(attributes.contains_key("googclient_other"));
}

#[test]
fn takes_an_old_value_out_when_the_new_one_is_empty() {
    let mut attributes = attributes(&[("tracestate", "of=another")]);
    let mut injector = MetadataInjector::new(&mut attributes);
    injector.set("tracestate", String::new());
    assert_eq!(injector.left_out(), 0);
    assert!(attributes.is_empty());
}

#[test]
fn leaves_out_and_counts_what_finds_no_room() {
    let mut attributes = own(MAX_ATTRIBUTES);
    let mut injector = MetadataInjector::new(&mut attributes);
    inject(&context(), &mut injector);
    assert_eq!(injector.left_out(), 3);
    assert_eq!(attributes, own(MAX_ATTRIBUTES));
}

#[test]
fn gives_the_last_place_to_traceparent_in_whatever_order_it_is_written() {
    for propagator in [w3c(), baggage_first()] {
        let mut attributes = own(MAX_ATTRIBUTES - 1);
        let mut injector = MetadataInjector::new(&mut attributes);
        propagator.inject_context(&context(), &mut injector);
        assert_eq!(injector.left_out(), 2);
        assert_eq!(attributes.len(), MAX_ATTRIBUTES);
        let read = MetadataExtractor::new(&attributes);
        assert_eq!(traceparent(&extract(&read)), TRACEPARENT);
    }
}

#[test]
fn gives_the_last_but_one_place_to_tracestate() {
    for propagator in [w3c(), baggage_first()] {
        let mut attributes = own(MAX_ATTRIBUTES - 2);
        let mut injector = MetadataInjector::new(&mut attributes);
        propagator.inject_context(&context(), &mut injector);
        assert_eq!(injector.left_out(), 1);
        assert!(attributes.contains_key("traceparent"));
        assert!(attributes.contains_key("tracestate"));
    }
}

#[test]
fn takes_nothing_out_of_a_message_that_is_too_full_anyway() {
    let mut attributes = own(MAX_ATTRIBUTES);
    attributes.insert("baggage".to_owned(), "kept".to_owned());
    let mut injector = MetadataInjector::new(&mut attributes);
    injector.set("traceparent", TRACEPARENT.to_owned());
    assert_eq!(injector.left_out(), 1);
    assert_eq!(attributes["baggage"], "kept");
}

#[test]
fn leaves_out_a_key_that_pubsub_refuses() {
    let long = "k".repeat(MAX_KEY_BYTES + 1);
    for key in ["", "goog", "googclient_traceparent", "google", &long] {
        let mut attributes = Attributes::new();
        let mut injector = MetadataInjector::new(&mut attributes);
        injector.set(key, "value".to_owned());
        assert_eq!(injector.left_out(), 1, "{key}");
        assert!(attributes.is_empty(), "{key}");
    }
}

#[test]
fn measures_keys_and_values_in_bytes() {
    let mut attributes = Attributes::new();
    let mut injector = MetadataInjector::new(&mut attributes);
    injector.set(&"k".repeat(MAX_KEY_BYTES), "x".repeat(MAX_VALUE_BYTES));
    assert_eq!(injector.left_out(), 0);
    injector.set(&"é".repeat(MAX_KEY_BYTES / 2 + 1), "value".to_owned());
    injector.set("key", "é".repeat(MAX_VALUE_BYTES / 2 + 1));
    assert_eq!(injector.left_out(), 2);
    assert_eq!(attributes.len(), 1);
}

#[test]
fn sends_the_trace_without_a_baggage_that_is_too_long() {
    let long = opentelemetry::KeyValue::new("key", "x".repeat(MAX_VALUE_BYTES));
    let context = context();
    let loaded = context.with_baggage([long]);
    let mut attributes = Attributes::new();
    let mut injector = MetadataInjector::new(&mut attributes);
    inject(&loaded, &mut injector);
    assert_eq!(injector.left_out(), 1);
    let read = extract(&MetadataExtractor::new(&attributes));
    assert_eq!(traceparent(&read), TRACEPARENT);
    assert!(read.baggage().is_empty());
}

#[test]
fn reads_a_name_in_any_case_and_the_exact_one_first() {
    let mut attributes = attributes(&[("TraceParent", TRACEPARENT)]);
    let read = extract(&MetadataExtractor::new(&attributes));
    assert_eq!(traceparent(&read), TRACEPARENT);
    attributes.insert("traceparent".to_owned(), OTHER_TRACEPARENT.to_owned());
    let read = extract(&MetadataExtractor::new(&attributes));
    assert_eq!(traceparent(&read), OTHER_TRACEPARENT);
}

#[test]
fn reads_the_same_of_two_spellings_each_time() {
    for _ in 0..20 {
        // Each map has another order.
        let attributes = attributes(&[("TraceParent", "second"), ("TRACEPARENT", "first")]);
        let read = MetadataExtractor::new(&attributes);
        assert_eq!(read.get("traceparent"), Some("first"));
    }
}

#[test]
fn reads_an_unusable_traceparent_as_no_context() {
    for unusable in UNUSABLE {
        for key in ["traceparent", "googclient_traceparent"] {
            let attributes = attributes(&[(key, unusable)]);
            let read = extract(&MetadataExtractor::new(&attributes));
            assert_eq!(traceparent(&read), "", "{unusable}");
        }
    }
}

#[test]
fn reads_a_message_without_attributes_as_empty() {
    let attributes = Attributes::new();
    let read = MetadataExtractor::new(&attributes);
    assert_eq!(read.get("traceparent"), None);
    assert!(read.keys().is_empty());
}

#[test]
fn prefers_traceparent_to_what_google_s_clients_wrote() {
    let attributes = attributes(&[
        ("traceparent", TRACEPARENT),
        ("googclient_traceparent", OTHER_TRACEPARENT),
        ("googclient_tracestate", "of=another"),
    ]);
    let read = MetadataExtractor::new(&attributes);
    assert_eq!(traceparent(&extract(&read)), TRACEPARENT);
    assert_eq!(read.get("tracestate"), None);
}

#[test]
fn reads_what_google_s_clients_wrote_where_traceparent_is_absent() {
    let attributes = attributes(&[
        ("googclient_traceparent", OTHER_TRACEPARENT),
        ("googclient_tracestate", "a=b"),
        ("baggage", "order.id=7"),
    ]);
    let read = MetadataExtractor::new(&attributes);
    let context = extract(&read);
    assert_eq!(traceparent(&context), OTHER_TRACEPARENT);
    assert_eq!(context.baggage().len(), 1);
    assert_eq!(read.get("tracestate"), Some("a=b"));
    assert!(read.keys().contains(&"traceparent"));
}

#[test]
fn reads_what_google_s_clients_wrote_instead_of_an_unusable_traceparent_and_its_tracestate() {
    for unusable in UNUSABLE {
        let attributes = attributes(&[
            ("Traceparent", unusable),
            ("tracestate", "of=another"),
            ("googclient_traceparent", OTHER_TRACEPARENT),
        ]);
        let read = MetadataExtractor::new(&attributes);
        assert_eq!(traceparent(&extract(&read)), OTHER_TRACEPARENT);
        assert_eq!(read.get("tracestate"), None);
    }
}
