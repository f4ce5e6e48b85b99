//! For any input: no panic, and what was written is read again.

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use rdkafka::message::{Header, OwnedHeaders};

use crate::helpers::{assert_same, extract, inject};
use otel_carriers::{eventbridge, kafka, pubsub, sns, sqs};
use serde_json::{Value, json};

/// Names that mean something to a carrier, in any case, and others.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "(?i)traceparent|tracestate|baggage|googclient_trace(parent|state)",
        "(AWS|aws|goog|[a-z])?[.a-z_-]{0,4}",
        any::<String>(),
    ]
}

/// Texts that look like context, and others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0f]{1,2}-[0a]{31,32}-[0b]{15,16}-0[0-3](-x)?",
        "Root=1-[0a]{8}-[0b]{24}(;Parent=[0c]{16}(;Sampled=[01?])?)?",
        "([a-z]{1,4}=[a-z%;]{0,9},?){0,4}",
        any::<String>(),
        ".{1000,1100}",
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![text().prop_map(String::into_bytes), any::<Vec<u8>>()]
}

/// A context that every broker has room for, whose baggage needs escaping.
fn context() -> impl Strategy<Value = Context> {
    let span = (1..=u128::MAX, 1..=u64::MAX, any::<bool>());
    let state = btree_map("[a-z][a-z0-9_*/-]{0,8}", "[!-+./0-9:;<>-~]{1,16}", 0..8);
    let baggage = vec(("[a-z.%]{1,12}", ".{0,11}"), 0..6);
    (span, state, baggage).prop_map(|((trace_id, span_id, is_sampled), state, baggage)| {
        let span = SpanContext::new(
            TraceId::from(trace_id),
            SpanId::from(span_id),
            TraceFlags::default().with_sampled(is_sampled),
            true,
            TraceState::from_key_value(state).expect("they are valid"),
        );
        let baggage = baggage
            .into_iter()
            .map(|(key, value)| KeyValue::new(key, value));
        Context::new()
            .with_remote_span_context(span)
            .with_baggage(baggage)
    })
}

/// Reads all there is, as a propagator may, and gives it to the W3C propagators.
fn read_all(carrier: &dyn Extractor, asked: &[String]) {
    let keys = carrier.keys();
    for key in asked.iter().map(String::as_str).chain(keys) {
        carrier.get(key);
        carrier.get_all(key);
    }
    extract(carrier);
}

fn string(value: &str) -> MessageAttributeValue {
    let value = MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value);
    value.build().expect("it has a data type")
}

/// Values that a detail may have, context and others.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null)
    ];
    leaf.prop_recursive(3, 8, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Bodies that look like envelopes, whole, cut off and with something inside that is not expected.
fn body() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        "Type|Message|MessageAttributes|Value|detail|detail-type|_datadog|source",
        name()
    ];
    let word = prop_oneof![Just(json!("Notification")), Just(json!("String")), value()];
    let members = word.prop_recursive(4, 24, 4, move |inner| {
        let text = inner
            .clone()
            .prop_map(|value| Value::from(value.to_string()));
        let member = (key.clone(), prop_oneof![inner, text]);
        vec(member, 0..5).prop_map(|members| members.into_iter().collect())
    });
    let whole = members.prop_map(|value| value.to_string());
    (whole, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(mut body, at, is_cut)| {
        if is_cut && !body.is_empty() {
            let at = at.index(body.len());
            body.truncate(body.floor_char_boundary(at));
        }
        body
    })
}

/// How many of the application's own attributes are still there.
fn kept<V>(attributes: &HashMap<String, V>) -> usize {
    attributes
        .keys()
        .filter(|name| name.starts_with("own-"))
        .count()
}

proptest! {
    #[test]
    fn kafka_reads_any_headers(
        pairs in vec((name(), option::of(bytes())), 0..8),
        asked in vec(name(), 0..4),
    ) {
        let headers = pairs.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_ref() })
        });
        read_all(&kafka::MetadataExtractor::new(Some(&headers)), &asked);
    }

    #[test]
    fn sqs_reads_any_attributes(
        attributes in vec((name(), text()), 0..8),
        trace_header in option::of(text()),
        asked in vec(name(), 0..4),
    ) {
        let attributes = attributes.iter().map(|(name, value)| (name.clone(), string(value)));
        let message = Message::builder()
            .set_message_attributes(Some(attributes.collect()))
            .set_attributes(trace_header.map(|header| {
                HashMap::from([(MessageSystemAttributeName::AwsTraceHeader, header)])
            }))
            .build();
        read_all(&sqs::MetadataExtractor::of(&message), &asked);
        read_all(&sqs::MetadataExtractor::new(message.message_attributes()), &asked);
    }

    #[test]
    fn pubsub_reads_any_attributes(
        attributes in vec((name(), text()), 0..8),
        asked in vec(name(), 0..4),
    ) {
        let attributes: HashMap<_, _> = attributes.into_iter().collect();
        read_all(&pubsub::MetadataExtractor::new(&attributes), &asked);
    }

    #[test]
    fn kafka_writes_any_key_once(writes in vec((name(), text()), 0..8)) {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &writes {
            // A name ends at its first NUL for librdkafka, so it is another name when it is read.
            let key = key.replace('\0', "");
            kafka::MetadataInjector::new(&mut headers).set(&key, value.clone());
            let read = kafka::MetadataExtractor::new(Some(&headers));
            prop_assert_eq!(read.get(&key).unwrap_or_default(), value);
            let named = read.keys().into_iter().filter(|name| name.eq_ignore_ascii_case(&key));
            prop_assert_eq!(named.count(), usize::from(!value.is_empty()));
        }
    }

    #[test]
    fn sqs_keeps_its_limits_and_counts_what_is_missing(
        own in 0..=sqs::MAX_ATTRIBUTES,
        writes in vec((name(), text()), 0..8),
    ) {
        let mut attributes: HashMap<_, _> =
            (0..own).map(|n| (format!("own-{n}"), string("kept"))).collect();
        let mut injector = sqs::MetadataInjector::new(&mut attributes);
        let mut wanted = HashMap::new();
        for (key, value) in &writes {
            injector.set(key, value.clone());
            wanted.insert(key.to_ascii_lowercase(), value);
        }
        let left_out = injector.left_out();
        prop_assert!(attributes.len() <= sqs::MAX_ATTRIBUTES);
        prop_assert_eq!(kept(&attributes), own);
        let missing = wanted.iter().filter(|(_, value)| !value.is_empty()).count() + own;
        prop_assert!(missing - attributes.len() <= left_out);
        prop_assert!(attributes.values().all(|value| value.string_value() != Some("")));
    }

    #[test]
    fn pubsub_keeps_its_limits_and_counts_what_is_missing(
        own in (pubsub::MAX_ATTRIBUTES - 8)..=pubsub::MAX_ATTRIBUTES,
        writes in vec((name(), text()), 0..8),
    ) {
        let mut attributes: HashMap<_, _> =
            (0..own).map(|n| (format!("own-{n}"), "kept".to_owned())).collect();
        let mut injector = pubsub::MetadataInjector::new(&mut attributes);
        let mut wanted = HashMap::new();
        for (key, value) in &writes {
            injector.set(key, value.clone());
            wanted.insert(key.to_ascii_lowercase(), value);
        }
        let left_out = injector.left_out();
        prop_assert!(attributes.len() <= pubsub::MAX_ATTRIBUTES);
        prop_assert_eq!(kept(&attributes), own);
        let missing = wanted.iter().filter(|(_, value)| !value.is_empty()).count() + own;
        prop_assert!(missing - attributes.len() <= left_out);
        for (key, value) in &attributes {
            prop_assert!(key.len() <= pubsub::MAX_KEY_BYTES && !key.starts_with("goog"));
            prop_assert!(value.len() <= pubsub::MAX_VALUE_BYTES);
        }
    }

    #[test]
    fn kafka_carries_any_context(context in context()) {
        let mut headers = OwnedHeaders::new();
        inject(&context, &mut kafka::MetadataInjector::new(&mut headers));
        assert_same(&extract(&kafka::MetadataExtractor::new(Some(&headers))), &context);
    }

    #[test]
    fn sqs_carries_any_context(context in context()) {
        let mut attributes = HashMap::new();
        let mut injector = sqs::MetadataInjector::new(&mut attributes);
        inject(&context, &mut injector);
        prop_assert_eq!(injector.left_out(), 0);
        let message = Message::builder().set_message_attributes(Some(attributes)).build();
        assert_same(&extract(&sqs::MetadataExtractor::of(&message)), &context);
    }

    #[test]
    fn pubsub_carries_any_context(context in context()) {
        let mut attributes = HashMap::new();
        let mut injector = pubsub::MetadataInjector::new(&mut attributes);
        inject(&context, &mut injector);
        prop_assert_eq!(injector.left_out(), 0);
        assert_same(&extract(&pubsub::MetadataExtractor::new(&attributes)), &context);
    }

    #[test]
    fn any_body_is_read(body in body(), asked in vec(name(), 0..4)) {
        let message = Message::builder().body(&*body).build();
        read_all(&sqs::MetadataExtractor::of(&message), &asked);
        read_all(&sns::MetadataExtractor::new(&body), &asked);
        read_all(&eventbridge::MetadataExtractor::new(&body), &asked);
        sqs::payload(&body);
    }

    #[test]
    fn sns_keeps_its_limits(
        own in 0..=sns::MAX_ATTRIBUTES,
        room in 0..2000_usize,
        writes in vec((name(), text()), 0..8),
    ) {
        let value = |value: &str| {
            let value = aws_sdk_sns::types::MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value);
            value.build().expect("it has a data type")
        };
        let mut attributes: HashMap<_, _> =
            (0..own).map(|n| (format!("own-{n}"), value("kept"))).collect();
        let before = 15 * own;
        let mut injector = sns::MetadataInjector::new(&mut attributes).with_room(room);
        for (key, value) in &writes {
            injector.set(key, value.clone());
        }
        let bytes: usize = attributes
            .iter()
            .map(|(name, value)| name.len() + 6 + value.string_value().map_or(0, str::len))
            .sum();
        prop_assert!(attributes.len() <= sns::MAX_ATTRIBUTES);
        prop_assert!(bytes <= room.max(before), "{} of {}", bytes, room);
        prop_assert_eq!(kept(&attributes), own);
    }

    #[test]
    fn eventbridge_keeps_its_room_and_the_application_its_detail(
        members in vec(("own-[a-z]{0,3}", value()), 0..4),
        room in 0..2000_usize,
        writes in vec((name(), text()), 0..8),
    ) {
        let own: serde_json::Map<_, _> = members.into_iter().collect();
        let mut detail = Value::from(own.clone()).to_string();
        let before = detail.len();
        let mut injector = eventbridge::MetadataInjector::new(&mut detail).with_room(room);
        for (key, value) in &writes {
            injector.set(key, value.clone());
        }
        prop_assert!(detail.len() <= room.max(before));
        let mut written: serde_json::Map<_, _> = serde_json::from_str(&detail).expect("it is an object");
        written.retain(|name, _| own.contains_key(name));
        prop_assert_eq!(written, own);
    }

    #[test]
    fn sns_and_eventbridge_carry_any_context(context in context()) {
        let mut attributes = HashMap::new();
        inject(&context, &mut sns::MetadataInjector::new(&mut attributes));
        let attributes = attributes.iter().map(|(name, value)| {
            let value = json!({"Type": value.data_type(), "Value": value.string_value()});
            (name.clone(), value)
        });
        let attributes: serde_json::Map<_, _> = attributes.collect();
        let envelope = json!({
            "Type": "Notification", "TopicArn": "orders", "Message": "an order", "MessageAttributes": attributes,
        });
        let mut detail = r#"{"order_id": 7}"#.to_owned();
        inject(&context, &mut eventbridge::MetadataInjector::new(&mut detail));
        let event = format!(r#"{{"detail-type": "order.created", "detail": {detail}}}"#);
        for body in [envelope.to_string(), event] {
            let message = Message::builder().body(body).build();
            assert_same(&extract(&sqs::MetadataExtractor::of(&message)), &context);
        }
    }
}
