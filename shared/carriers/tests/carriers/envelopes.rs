//! Messages of a queue that came through SNS or EventBridge, as AWS documents them and as others send them.

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::Extractor;
use otel_carriers::sqs::{MetadataExtractor, payload};
use otel_carriers::{eventbridge, sns};
use serde_json::{Value, json};

use crate::helpers::{
    OTHER_TRACEPARENT, TRACEPARENT, UNUSABLE, assert_same, context, extract, traceparent,
};

/// All of them carry the same context and the same order.
const MESSAGES: [(&str, &str); 6] = [
    ("sns_by_aws", include_str!("messages/sns_by_aws.json")),
    ("sns_by_moto", include_str!("messages/sns_by_moto.json")),
    (
        "eventbridge_by_aws",
        include_str!("messages/eventbridge_by_aws.json"),
    ),
    (
        "eventbridge_by_moto",
        include_str!("messages/eventbridge_by_moto.json"),
    ),
    (
        "eventbridge_by_datadog",
        include_str!("messages/eventbridge_by_datadog.json"),
    ),
    (
        "eventbridge_in_sns",
        include_str!("messages/eventbridge_in_sns.json"),
    ),
];

/// [`OTHER_TRACEPARENT`] in the words of X-Ray.
const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

fn message(body: impl Into<String>) -> Message {
    Message::builder().body(body).build()
}

fn with_attribute(body: &str, name: &str, value: &str) -> Message {
    let attribute = MessageAttributeValue::builder().data_type("String");
    let attribute = attribute.string_value(value).build();
    Message::builder()
        .body(body)
        .message_attributes(name, attribute.expect("it has a data type"))
        .build()
}

fn of(body: &str) -> String {
    traceparent(&extract(&MetadataExtractor::of(&message(body))))
}

fn notification(message: &str, attributes: &Value) -> String {
    let envelope = json!({
        "Type": "Notification",
        "TopicArn": "arn:aws:sns:eu-central-1:000000000000:orders",
        "Message": message,
        "MessageAttributes": attributes,
    });
    envelope.to_string()
}

fn event(detail: &Value) -> String {
    json!({"detail-type": "order.created", "source": "shop", "detail": detail}).to_string()
}

#[test]
fn finds_the_context_of_each_message() {
    for (name, body) in MESSAGES {
        println!("{name}");
        assert_same(&extract(&MetadataExtractor::of(&message(body))), &context());
        let elsewhere: &dyn Extractor = if name.starts_with("sns") || name.ends_with("sns") {
            &sns::MetadataExtractor::new(body)
        } else {
            &eventbridge::MetadataExtractor::new(body)
        };
        assert_same(&extract(elsewhere), &context());
    }
}

#[test]
fn hands_out_what_was_published() {
    for (name, body) in MESSAGES {
        let payload: Value = serde_json::from_str(&payload(body)).expect(name);
        assert_eq!(payload["order_id"], "0198c0de-7a11", "{name}");
    }
    let detail = r#"{"price": 1.10, "count": 12345678901234567890123}"#;
    let event = format!(r#"{{"detail-type": "a", "detail": {detail}}}"#);
    assert_eq!(payload(&event), detail);
    for body in [
        "an order",
        "",
        "{}",
        r#"{"Type": "Notification"}"#,
        r#"{"Type": "Notification", "Message": "of an application that has no topic"}"#,
        "{\"detail-type\": 1",
    ] {
        assert_eq!(payload(body), body);
    }
}

#[test]
fn attributes_come_first_and_then_the_body_is_not_looked_at() {
    for (name, body) in MESSAGES {
        let message = with_attribute(body, "traceparent", OTHER_TRACEPARENT);
        let read = extract(&MetadataExtractor::of(&message));
        assert_eq!(traceparent(&read), OTHER_TRACEPARENT, "{name}");
        assert!(read.baggage().is_empty(), "{name}");
    }
}

#[test]
fn an_unusable_traceparent_in_the_attributes_does_not_hide_the_one_in_the_body() {
    for unusable in UNUSABLE {
        let message = with_attribute(MESSAGES[0].1, "traceparent", unusable);
        let read = extract(&MetadataExtractor::of(&message));
        assert_same(&read, &context());
    }
}

#[test]
fn the_trace_header_of_xray_comes_last() {
    let header = MessageSystemAttributeName::AwsTraceHeader;
    for (name, body) in MESSAGES {
        let message = Message::builder()
            .body(body)
            .attributes(header.clone(), XRAY);
        let read = extract(&MetadataExtractor::of(&message.build()));
        assert_eq!(traceparent(&read), TRACEPARENT, "{name}");
    }
    let body = notification(
        "an order",
        &json!({"baggage": {"Type": "String", "Value": "a=b"}}),
    );
    let message = Message::builder().body(body).attributes(header, XRAY);
    let read = extract(&MetadataExtractor::of(&message.build()));
    assert_eq!(traceparent(&read), OTHER_TRACEPARENT);
    assert_eq!(read.baggage().len(), 1);
}

#[test]
fn an_unusable_traceparent_in_the_body_is_no_context() {
    for unusable in UNUSABLE {
        let attribute = json!({"Type": "String", "Value": unusable});
        let state = json!({"Type": "String", "Value": "a=b"});
        let attributes = json!({"traceparent": attribute, "tracestate": state});
        let detail = json!({"traceparent": unusable, "tracestate": "a=b"});
        for body in [
            notification("", &attributes),
            event(&detail),
            detail.to_string(),
        ] {
            let message = message(body);
            let read = MetadataExtractor::of(&message);
            assert_eq!(traceparent(&extract(&read)), "", "{unusable}");
            assert_eq!(read.get("tracestate"), None);
        }
    }
}

#[test]
fn one_attribute_that_is_odd_does_not_hide_the_others() {
    let attributes = json!({
        "a": null, "b": 7, "c": {"Type": "String"}, "d": {"Type": 1, "Value": 2}, "e": {"Value": "x"},
        "traceparent": {"Type": "String", "Value": TRACEPARENT},
    });
    assert_eq!(of(&notification("an order", &attributes)), TRACEPARENT);
}

#[test]
fn a_binary_attribute_is_no_context() {
    let attributes = json!({"traceparent": {"Type": "Binary", "Value": TRACEPARENT}});
    assert_eq!(of(&notification("an order", &attributes)), "");
}

#[test]
fn names_are_read_in_any_case() {
    let attributes = json!({"TraceParent": {"Type": "String", "Value": TRACEPARENT}});
    assert_eq!(of(&notification("an order", &attributes)), TRACEPARENT);
    assert_eq!(
        of(&event(&json!({"Traceparent": TRACEPARENT}))),
        TRACEPARENT
    );
}

#[test]
fn a_tracestate_of_the_attributes_does_not_join_a_traceparent_of_the_body() {
    let body = event(&json!({"traceparent": TRACEPARENT}));
    let message = with_attribute(&body, "tracestate", "of=another");
    let read = MetadataExtractor::of(&message);
    assert_eq!(read.get("traceparent"), Some(TRACEPARENT));
    assert_eq!(read.get("tracestate"), None);
}

#[test]
fn what_an_input_path_or_a_transformer_left_of_an_event_is_read_where_it_has_a_traceparent() {
    let detail =
        json!({"order_id": 7, "traceparent": TRACEPARENT, "baggage": "a=b", "own": "text"});
    let message = message(detail.to_string());
    let read = MetadataExtractor::of(&message);
    assert_eq!(traceparent(&extract(&read)), TRACEPARENT);
    assert_eq!(read.get("baggage"), Some("a=b"));
    assert_eq!(read.get("own"), None);
    assert_eq!(
        of(&notification(&detail.to_string(), &json!({}))),
        TRACEPARENT
    );
    // Not at the top, so it is whatever the application means by it.
    assert_eq!(of(&json!({"order": detail}).to_string()), "");
    assert_eq!(of(&json!([detail]).to_string()), "");
}

#[test]
fn the_attributes_of_sns_come_before_the_event_within() {
    let inner = event(&json!({"traceparent": TRACEPARENT}));
    let attributes = json!({"traceparent": {"Type": "String", "Value": OTHER_TRACEPARENT}});
    assert_eq!(of(&notification(&inner, &attributes)), OTHER_TRACEPARENT);
}

#[test]
fn what_is_not_an_envelope_is_no_context() {
    let mentioned = format!("\"Type\" \"Notification\" \"traceparent\" {TRACEPARENT}");
    let quoted = json!({"text": MESSAGES[0].1}).to_string();
    let cut_off = &MESSAGES[0].1[..MESSAGES[0].1.len() - 3];
    let confirmation = MESSAGES[0]
        .1
        .replace("\"Notification\"", "\"SubscriptionConfirmation\"");
    for body in [
        "",
        "{",
        "null",
        "7",
        "{}",
        &mentioned,
        &quoted,
        cut_off,
        &confirmation,
    ] {
        assert_eq!(of(body), "", "{body}");
    }
}

#[test]
fn an_envelope_that_is_nested_without_end_is_read_to_its_end() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(
        r#"{{"detail-type": "a", "x": {deep}, "detail": {{"y": {deep}, "traceparent": "{TRACEPARENT}"}}}}"#
    );
    assert_eq!(of(&body), TRACEPARENT);
}

#[test]
fn a_notification_that_was_published_is_a_message_and_no_envelope() {
    let attributes = json!({"traceparent": {"Type": "String", "Value": TRACEPARENT}});
    let published = notification("an order", &attributes);
    let body = notification(&published, &json!({}));
    assert_eq!(of(&body), "");
    assert_eq!(payload(&body), published);
}

#[test]
fn the_state_of_a_trace_that_cannot_be_used_does_not_stay_with_datadogs() {
    let datadog = json!({"traceparent": TRACEPARENT});
    let body = event(&json!({"traceparent": "bad", "tracestate": "x=1", "_datadog": datadog}));
    let message = message(&body);
    let read = MetadataExtractor::of(&message);
    assert_eq!(traceparent(&extract(&read)), TRACEPARENT);
    assert_eq!(read.get("tracestate"), None);
}
