use crate::fixtures::{OTHER_TRACE, Tape, happy, no_stock, text, without_context};
use crate::scenarios::{HAPPY, NO_STOCK};
use crate::{Broken, Rule, Transport, Violation, check};
use story::{Kind, Span, SpanId, SpanRef, Status, Value};

fn broken(tape: Tape) -> Broken {
    *check(&tape.story(), &HAPPY).expect_err("the story is broken")
}

fn assert_breaks(rule: Rule, tape: Tape) {
    let broken = broken(tape);
    let first = &broken.violations[0];
    assert!(
        matches!(first, Violation::Rule { rule: found, .. } if *found == rule),
        "{broken}"
    );
}

fn first_edge(broken: &Broken) -> (&'static str, Transport) {
    match &broken.violations[0] {
        Violation::BrokenEdge { row, .. } => (row.id, row.over),
        Violation::Rule { .. } => panic!("not an edge: {broken}"),
    }
}

#[test]
fn accepts_the_story_of_each_scenario_and_of_no_other() {
    let stories = [(happy().story(), &HAPPY), (no_stock().story(), &NO_STOCK)];
    for (story, own) in &stories {
        for other in [&HAPPY, &NO_STOCK] {
            let same = own.name == other.name;
            assert_eq!(
                check(story, other).is_ok(),
                same,
                "{} held against {}",
                own.name,
                other.name
            );
        }
    }
}

#[test]
fn names_the_first_edge_of_a_hop_that_loses_the_context() {
    let hops = [
        (Transport::Http, "place"),
        (Transport::Outbox, "send created"),
        (Transport::Kafka, "take created"),
        (Transport::Sqs, "take job"),
        (Transport::PubSub, "orders hears"),
    ];
    for (hop, row) in hops {
        let broken =
            check(&without_context(happy(), hop), &HAPPY).expect_err("the context is lost");
        assert_eq!(first_edge(&broken), (row, hop), "{broken}");
    }
}

#[test]
fn says_in_plain_words_what_should_hang_where() {
    let broken = check(&without_context(happy(), Transport::Kafka), &HAPPY)
        .unwrap_err()
        .to_string();
    let expected = "broken edge: `process order.created` (classifier, CONSUMER) should be child of and linked to \
                    `send order.created` (orders, PRODUCER) over kafka, but is not in the story";
    assert!(broken.contains(expected), "{broken}");
    assert!(
        broken.contains("└ send order.created"),
        "no waterfall in {broken}"
    );
}

#[test]
fn notices_a_link_that_is_missing_beside_the_parent() {
    let mut tape = happy();
    tape.job().links.clear();
    let broken = broken(tape);
    assert_eq!(first_edge(&broken), ("take job", Transport::Sqs));
    assert!(
        broken.to_string().contains("but carries no link to it"),
        "{broken}"
    );
}

#[test]
fn notices_a_parent_that_is_missing_beside_the_link() {
    let mut tape = happy();
    tape.find("process order.ended", "email", Kind::Consumer)
        .parent = None;
    let broken = broken(tape);
    assert_eq!(first_edge(&broken), ("email hears", Transport::Kafka));
    assert!(
        broken.to_string().contains("but starts a trace of its own"),
        "{broken}"
    );
}

#[test]
fn notices_a_span_under_the_wrong_parent() {
    let mut tape = happy();
    let request = tape.find("POST /orders", "gateway", Kind::Server).span_id;
    tape.find("send order.created", "orders", Kind::Producer)
        .parent = Some(request);
    let broken = broken(tape);
    assert_eq!(first_edge(&broken), ("send created", Transport::Outbox));
    assert!(
        broken
            .to_string()
            .contains("but hangs under `POST /orders` (gateway, SERVER)"),
        "{broken}"
    );
}

#[test]
fn notices_an_orphan() {
    let mut tape = happy();
    tape.find("send mail", "email", Kind::Client).parent = Some(SpanId([9; 8]));
    let broken = broken(tape);
    assert_eq!(first_edge(&broken).0, "send mail");
    assert!(
        broken.violations.iter().any(|v| matches!(
            v,
            Violation::Rule {
                rule: Rule::Orphan,
                ..
            }
        )),
        "{broken}"
    );
}

#[test]
fn notices_a_dangling_link() {
    let mut tape = happy();
    let nowhere = SpanRef {
        trace_id: OTHER_TRACE,
        span_id: SpanId([7; 8]),
    };
    tape.find("classify order", "classifier", Kind::Internal)
        .links
        .push(nowhere);
    assert_breaks(Rule::DanglingLink, tape);
}

#[test]
fn notices_a_message_whose_link_and_parent_are_two_senders() {
    let mut tape = happy();
    let other = tape
        .find("send order.created", "orders", Kind::Producer)
        .reference();
    tape.job().links.insert(0, other);
    assert_breaks(Rule::Sender, tape);
}

#[test]
fn notices_a_span_that_no_row_describes() {
    let mut tape = happy();
    let extra = Span {
        span_id: SpanId([8; 8]),
        name: "DELETE orders".into(),
        ..tape.spans[3].clone()
    };
    tape.spans.push(extra);
    assert_breaks(Rule::Unexpected, tape);
}

#[test]
fn lets_others_listen_too() {
    let mut tape = happy();
    let send = tape.find("send order.created", "orders", Kind::Producer);
    let guest = Span {
        span_id: SpanId([8; 8]),
        parent: Some(send.span_id),
        service: "audit".into(),
        name: "audit an order".into(),
        kind: Kind::Consumer,
        ..send.clone()
    };
    tape.spans.push(guest);
    if let Err(broken) = check(&tape.story(), &HAPPY) {
        panic!("{broken}");
    }
}

#[test]
fn notices_an_email_that_is_sent_twice() {
    let mut tape = happy();
    let again = Span {
        span_id: SpanId([8; 8]),
        ..tape.find("send mail", "email", Kind::Client).clone()
    };
    tape.spans.push(again);
    assert_breaks(Rule::Count, tape);
}

#[test]
fn notices_that_the_story_has_not_ended() {
    let mut tape = happy();
    tape.spans.retain(|span| span.service != "email");
    let broken = broken(tape);
    assert!(
        broken
            .to_string()
            .contains("no ending: `UPDATE emails` (email, CLIENT)"),
        "{broken}"
    );
}

#[test]
fn notices_attempts_that_skip_a_number() {
    let mut tape = happy();
    let job = tape.job();
    job.attributes
        .insert("orderflow.messaging.attempt".into(), Value::from(2));
    assert_breaks(Rule::Attempts, tape);
}

#[test]
fn notices_queue_times_that_are_absent_negative_or_too_long() {
    for wrong in [None, Some(-0.1), Some(1_000_000.0), Some(f64::NAN)] {
        let mut tape = happy();
        let job = tape.job();
        job.attributes.remove("orderflow.messaging.queue_time_ms");
        let value = wrong.map(|ms| {
            (
                "orderflow.messaging.queue_time_ms".to_owned(),
                Value::from(ms),
            )
        });
        job.attributes.extend(value);
        assert_breaks(Rule::QueueTime, tape);
    }
}

#[test]
fn notices_a_child_that_begins_before_its_parent() {
    let mut tape = happy();
    let parent_start = tape
        .find("classify order", "classifier", Kind::Internal)
        .start;
    tape.find("embeddings orderflow-hash-1", "classifier", Kind::Client)
        .start = parent_start - 1_500_000;
    assert_breaks(Rule::Clock, tape);
}

#[test]
fn bears_clocks_that_differ_by_less_than_a_millisecond() {
    let mut tape = happy();
    let parent_start = tape
        .find("classify order", "classifier", Kind::Internal)
        .start;
    tape.find("embeddings orderflow-hash-1", "classifier", Kind::Client)
        .start = parent_start - 900_000;
    assert!(check(&tape.story(), &HAPPY).is_ok());
}

#[test]
fn notices_payloads_addresses_and_obsolete_names() {
    let forbidden = [
        ("http.request.body", "{}"),
        ("order.payload", "{}"),
        ("messaging.operation", "publish"),
        ("messaging.kafka.consumer.group", "classifier"),
        ("mail.recipient", "alice@example.com"),
        ("url.full", "postgres://user:pass@localhost"),
    ];
    for (name, value) in forbidden {
        let mut tape = happy();
        tape.find("send mail", "email", Kind::Client)
            .attributes
            .insert(name.into(), text(value));
        assert_breaks(Rule::ForbiddenAttribute, tape);
    }
}

#[test]
fn notices_a_messaging_span_without_its_required_attributes() {
    let mut tape = happy();
    let send = tape.find("send order.created", "orders", Kind::Producer);
    send.attributes.remove("messaging.operation.type");
    assert_breaks(Rule::MissingAttribute, tape);
}

#[test]
fn notices_a_failure_that_should_not_be_and_one_that_should() {
    let mut tape = happy();
    tape.find("UPDATE orders", "orders", Kind::Client).status = Status::Error("deadlock".into());
    assert_breaks(Rule::Status, tape);

    let mut tape = no_stock();
    let refused = tape
        .spans
        .iter_mut()
        .find(|span| span.status != Status::Unset)
        .unwrap();
    refused.status = Status::Unset;
    assert!(
        check(&tape.story(), &NO_STOCK)
            .unwrap_err()
            .to_string()
            .contains("wrong status")
    );
}
