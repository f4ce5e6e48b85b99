use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::TraceContextExt;
use otel_carriers::kafka::{MetadataExtractor, MetadataInjector};
use rdkafka::message::{Header, Headers, OwnedHeaders};

use crate::helpers::{
    OTHER_TRACEPARENT, TRACEPARENT, UNUSABLE, assert_same, context, extract, inject, traceparent,
};

fn headers(pairs: &[(&str, Option<&[u8]>)]) -> OwnedHeaders {
    pairs
        .iter()
        .fold(OwnedHeaders::new(), |headers, &(key, value)| {
            headers.insert(Header { key, value })
        })
}

fn all(headers: &OwnedHeaders) -> Vec<(&str, Option<&[u8]>)> {
    headers
        .iter()
        .map(|header| (header.key, header.value))
        .collect()
}

fn read(headers: &OwnedHeaders) -> MetadataExtractor<'_> {
    MetadataExtractor::new(Some(headers))
}

#[test]
fn carries_a_context() {
    let mut headers = OwnedHeaders::new();
    inject(&context(), &mut MetadataInjector::new(&mut headers));
    assert_same(&extract(&read(&headers)), &context());
}

#[test]
fn replaces_a_key_instead_of_appending_it() {
    let mut headers = OwnedHeaders::new();
    for _ in 0..3 {
        inject(&context(), &mut MetadataInjector::new(&mut headers));
    }
    assert_eq!(headers.count(), 3);
}

#[test]
fn replaces_a_key_in_any_case_and_every_duplicate_of_it() {
    let mut headers = headers(&[
        ("Traceparent", Some(b"old")),
        ("other", Some(b"kept")),
        ("traceparent", Some(b"older")),
    ]);
    MetadataInjector::new(&mut headers).set("traceparent", "new".to_owned());
    let expected: [(&str, Option<&[u8]>); 2] =
        [("other", Some(b"kept")), ("traceparent", Some(b"new"))];
    assert_eq!(all(&headers), expected);
}

#[test]
fn keeps_null_empty_binary_and_duplicate_headers_of_others() {
    let others: [(&str, Option<&[u8]>); 5] = [
        ("null", None),
        ("empty", Some(b"")),
        ("binary", Some(&[0xff, 0x00])),
        ("twice", Some(b"1")),
        ("twice", Some(b"2")),
    ];
    let mut headers = headers(&others).insert(Header {
        key: "baggage",
        value: Some("old"),
    });
    MetadataInjector::new(&mut headers).set("baggage", String::new());
    assert_eq!(all(&headers), others);
}

#[test]
fn takes_an_old_tracestate_out_when_the_new_one_is_empty() {
    let mut headers = headers(&[("tracestate", Some(b"of=another"))]);
    let context = opentelemetry::Context::new()
        .with_remote_span_context(context().span().span_context().clone());
    let stateless = extract(&std::collections::HashMap::from([(
        "traceparent".to_owned(),
        traceparent(&context),
    )]));
    inject(&stateless, &mut MetadataInjector::new(&mut headers));
    assert_same(&extract(&read(&headers)), &stateless);
}

#[test]
fn reads_a_name_in_any_case() {
    let headers = headers(&[("TraceParent", Some(TRACEPARENT.as_bytes()))]);
    assert_eq!(traceparent(&extract(&read(&headers))), TRACEPARENT);
}

#[test]
fn reads_the_last_duplicate_that_is_text() {
    let headers = headers(&[
        ("traceparent", Some(OTHER_TRACEPARENT.as_bytes())),
        ("traceparent", Some(TRACEPARENT.as_bytes())),
        ("traceparent", Some(&[0xff])),
        ("traceparent", Some(b"")),
        ("traceparent", None),
    ]);
    assert_eq!(traceparent(&extract(&read(&headers))), TRACEPARENT);
}

#[test]
fn reads_null_empty_and_binary_values_as_absent() {
    for value in [None, Some(&b""[..]), Some(&[0xff, 0xfe][..])] {
        let headers = headers(&[("traceparent", value)]);
        assert_eq!(read(&headers).get("traceparent"), None, "{value:?}");
    }
}

#[test]
fn reads_an_unusable_traceparent_as_no_context() {
    for unusable in UNUSABLE {
        let headers = headers(&[("traceparent", Some(unusable.as_bytes()))]);
        assert_eq!(traceparent(&extract(&read(&headers))), "", "{unusable}");
    }
}

#[test]
fn carries_a_baggage_that_its_reader_will_drop_for_its_length() {
    let mut headers = headers(&[("traceparent", Some(TRACEPARENT.as_bytes()))]);
    let baggage = format!("key={}", "x".repeat(8192));
    let mut injector = MetadataInjector::new(&mut headers);
    injector.set("baggage", baggage.clone());
    assert_eq!(injector.left_out(), 0);
    assert_eq!(read(&headers).get("baggage"), Some(baggage.as_str()));
    let read = extract(&read(&headers));
    assert_eq!(traceparent(&read), TRACEPARENT);
    assert!(read.baggage().is_empty());
}

#[test]
fn reads_a_record_without_headers_as_empty() {
    let read = MetadataExtractor::new(None::<&OwnedHeaders>);
    assert_eq!(read.get("traceparent"), None);
    assert!(read.keys().is_empty());
}

#[test]
fn names_what_it_can_read() {
    let headers = headers(&[("traceparent", Some(b"x")), ("other", None)]);
    assert_eq!(read(&headers).keys(), ["traceparent", "other"]);
}

/// Headers as rdkafka gives them when the name of one is not UTF-8: reading that one panics.
struct Unreadable(OwnedHeaders);

impl Headers for Unreadable {
    fn count(&self) -> usize {
        self.0.count() + 1
    }

    fn try_get(&self, index: usize) -> Option<Header<'_, &[u8]>> {
        let index = index.checked_sub(1).expect("the name is not UTF-8");
        self.0.try_get(index)
    }
}

#[test]
fn passes_over_a_header_whose_name_is_not_utf8() {
    let headers = Unreadable(headers(&[("traceparent", Some(TRACEPARENT.as_bytes()))]));
    let read = MetadataExtractor::new(Some(&headers));
    assert_eq!(traceparent(&extract(&read)), TRACEPARENT);
}
