//! What is left out where there is no room for all.

use std::collections::HashMap;

use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::{Context, KeyValue};
use otel_carriers::pubsub::{MAX_VALUE_BYTES, MetadataInjector};
use otel_carriers::w3c::{BaggagePropagator, add_baggage};

use crate::helpers::inject;

fn read(baggage: &str) -> Context {
    let carrier = HashMap::from([("baggage".to_owned(), baggage.to_owned())]);
    BaggagePropagator::new().extract_with_context(&Context::new(), &carrier)
}

fn written(context: &Context) -> String {
    let mut carrier = HashMap::new();
    BaggagePropagator::new().inject_context(context, &mut carrier);
    carrier.remove("baggage").unwrap_or_default()
}

/// Baggage of a customer who has as much as there may be, in one way or the other.
fn full() -> [String; 3] {
    let members = |count, length| {
        let members = (0..count).map(|n| format!("c{n:02}={}", "x".repeat(length)));
        members.collect::<Vec<_>>().join(",")
    };
    // 64 members; 8192 bytes; and 8192 bytes in 64 members.
    [members(64, 1), members(8, 1019), members(64, 123)]
}

fn ours() -> [KeyValue; 2] {
    [
        KeyValue::new("order.id", "7"),
        KeyValue::new("customer.tier", "vip"),
    ]
}

#[test]
fn what_is_added_is_not_pushed_out_by_what_came() {
    for theirs in full() {
        assert!(theirs.len() <= 8192);
        let context = add_baggage(&read(&theirs), ours());
        let mut written = written(&context);
        let ours = "customer.tier=vip,order.id=7,c00=x";
        assert!(written.starts_with(ours), "{written}");
        assert!(written.len() <= 8192 && written.split(',').count() <= 64);
        // It stays in front, also where nobody adds anything.
        for _ in 0..5 {
            let next = self::written(&read(&written));
            assert_eq!(next, written);
            written = next;
        }
    }
}

#[test]
fn what_came_and_was_changed_is_ours() {
    for theirs in full() {
        let theirs = theirs.replace("c07", "order.id");
        let context = add_baggage(&read(&theirs), ours());
        assert!(written(&context).starts_with("customer.tier=vip,order.id=7,c00=x"));
    }
    let theirs = format!("{},order.id=7", full()[1].replace("c07", "c7"));
    assert!(written(&add_baggage(&read(&theirs), ours())).contains("order.id=7"));
    let changed = read("a=1,b=2,c=3").with_baggage([
        KeyValue::new("a", "1"),
        KeyValue::new("b", "2"),
        KeyValue::new("c", "new"),
    ]);
    assert_eq!(written(&changed), "c=new,a=1,b=2");
}

#[test]
fn what_came_keeps_its_order_and_its_properties() {
    let theirs = "z=1;p=1,b=2,a=3;q";
    assert_eq!(written(&read(theirs)), theirs);
    let more = [KeyValueMetadata::new("own", "1", "r=1;s")];
    let context = add_baggage(&read(theirs), more);
    assert_eq!(written(&context), format!("own=1;r=1;s,{theirs}"));
}

#[test]
fn all_that_must_be_carried_is() {
    let longest = format!("a={}", "0123456789".repeat(819));
    assert_eq!(longest.len(), 8192);
    for whole in full().into_iter().chain([longest]) {
        assert_eq!(written(&read(&whole)), whole);
    }
}

#[test]
fn what_is_too_much_is_left_out_in_whole_members() {
    let hundred: Vec<_> = (0..100).map(|n| format!("key{n}=val")).collect();
    assert_eq!(written(&read(&hundred.join(","))), hundred[..64].join(","));
    let long = "x".repeat(8192);
    assert_eq!(written(&read(&format!("long={long},a=1"))), "a=1");
    // Short enough for the API, too long once it is escaped.
    let escaped = [
        KeyValue::new("a", "%".repeat(4000)),
        KeyValue::new("b", "1"),
    ];
    assert_eq!(written(&Context::new().with_baggage(escaped)), "b=1");
}

#[test]
fn metadata_that_is_no_property_does_not_break_the_header() {
    let bad = [
        KeyValueMetadata::new("a", "1", "p=x,evil=1;ok"),
        KeyValueMetadata::new("b", "2", "line\nbreak"),
    ];
    assert_eq!(written(&Context::new().with_baggage(bad)), "a=1;ok,b=2");
}

#[test]
fn pubsub_sends_what_is_ours_and_as_much_of_the_rest_as_fits() {
    let theirs: Vec<_> = (0..60)
        .map(|n| format!("c{n:02}={}", "x".repeat(60)))
        .collect();
    let context = add_baggage(&read(&theirs.join(",")), ours());
    let mut attributes = HashMap::new();
    let mut injector = MetadataInjector::new(&mut attributes);
    inject(&context, &mut injector);
    assert_eq!(injector.left_out(), 1);
    let sent = &attributes["baggage"];
    assert!(
        sent.starts_with("customer.tier=vip,order.id=7,c00=x"),
        "{sent}"
    );
    assert!((MAX_VALUE_BYTES - 65..=MAX_VALUE_BYTES).contains(&sent.len()));
    assert!(sent.ends_with(&"x".repeat(60)), "whole members only");
}

#[test]
fn a_context_without_baggage_stays_as_it_is() {
    let context = Context::new().with_baggage(ours());
    for nothing in [None, Some(""), Some("garbage"), Some("=,;")] {
        let carrier: HashMap<_, _> = nothing
            .map(|baggage| ("baggage".to_owned(), baggage.to_owned()))
            .into_iter()
            .collect();
        let read = BaggagePropagator::new().extract_with_context(&context, &carrier);
        assert_eq!(read.baggage().len(), 2, "{nothing:?}");
    }
}
