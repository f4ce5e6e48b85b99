use crate::fixtures::{Tape, again, all_linked, happy, no_stock, text, without, without_context};
use crate::scenarios::{HAPPY, LINKED, NO_STOCK};
use crate::{Broken, Rule, Scenario, Transport, Violation, check, check_told_once};
use story::{Kind, Status, Story, Value};

const HOPS: [Transport; 5] = [
    Transport::Http,
    Transport::Outbox,
    Transport::Kafka,
    Transport::Sqs,
    Transport::PubSub,
];

fn broken(story: &Story, scenario: &'static Scenario) -> Broken {
    *check_told_once(story, scenario).expect_err("the story is broken")
}

fn assert_breaks(rule: Rule, tape: Tape) {
    let broken = broken(&tape.story(), &HAPPY);
    let has = |violation: &Violation| matches!(violation, Violation::Rule { rule: found, .. } if *found == rule);
    assert!(broken.violations.iter().any(has), "{broken}");
}

fn assert_misses(row: &str, tape: Tape) {
    let broken = broken(&tape.story(), &HAPPY).to_string();
    assert!(broken.contains(&format!("broken edge: {row}")), "{broken}");
}

#[test]
fn accepts_a_story_whose_message_was_handled_again() {
    for (what, tape, scenario) in again::all() {
        if let Err(broken) = check_told_once(&tape.story(), scenario) {
            panic!("{what}: {broken}");
        }
    }
}

#[test]
fn asks_for_the_queue_time_of_first_attempts_only() {
    let without_queue_time = |attempt| {
        let mut tape = again::worker_died_at_work();
        let mut spans = tape.spans.iter_mut();
        let span = spans.find(|span| span.attempt() == Some(attempt));
        let attributes = &mut span.unwrap().attributes;
        attributes.remove("orderflow.messaging.queue_time_ms");
        tape
    };
    assert!(check_told_once(&without_queue_time(2).story(), &HAPPY).is_ok());
    assert_breaks(Rule::QueueTime, without_queue_time(1));
}

#[test]
fn leaves_the_contract_itself_as_strict_as_it_is() {
    for (what, tape, scenario) in again::all() {
        assert!(check(&tape.story(), scenario).is_err(), "{what}");
    }
}

#[test]
fn accepts_what_was_handled_once_and_tells_scenarios_apart() {
    for (tape, own, other) in [
        (happy(), &HAPPY, &NO_STOCK),
        (no_stock(), &NO_STOCK, &HAPPY),
    ] {
        let story = tape.story();
        assert!(check_told_once(&story, own).is_ok());
        assert!(check_told_once(&story, other).is_err());
    }
}

#[test]
fn keeps_the_delivery_that_went_furthest() {
    for lost in [0, 1] {
        let mut tape = again::kafka_redelivered();
        let jobs = tape
            .spans
            .iter()
            .filter(|span| span.name == "send classification-jobs");
        let id = jobs.map(|span| span.span_id).nth(lost);
        tape.lose(|span| Some(span.span_id) == id);
        if let Err(broken) = check_told_once(&tape.story(), &HAPPY) {
            panic!("{broken}");
        }
    }
}

#[test]
fn follows_messages_into_traces_of_their_own() {
    assert!(check(&all_linked(happy()), &LINKED).is_ok());
    let story = all_linked(again::kafka_redelivered());
    if let Err(broken) = check_told_once(&story, &LINKED) {
        panic!("{broken}");
    }
    assert!(check(&story, &LINKED).is_err());
}

#[test]
fn names_the_hop_that_loses_the_context() {
    for hop in HOPS {
        let broken = broken(&without_context(happy(), hop), &HAPPY);
        assert_eq!(first_edge(&broken), Some(hop), "{broken}");
    }
}

#[test]
fn names_the_hop_that_loses_the_context_where_a_message_was_handled_again_too() {
    for hop in HOPS {
        for (what, tape, scenario) in again::all() {
            let broken = broken(&without_context(tape, hop), scenario);
            assert_eq!(first_edge(&broken), Some(hop), "{what}: {broken}");
        }
    }
}

fn first_edge(broken: &Broken) -> Option<Transport> {
    match &broken.violations[0] {
        Violation::BrokenEdge { row, .. } => Some(row.over),
        Violation::Rule { .. } => None,
    }
}

#[test]
fn misses_whoever_was_called_or_heard_without_the_context() {
    let far_sides = [
        ("POST /orders", "orders"),
        ("send order.created", "orders"),
        ("process order.created", "classifier"),
        ("process classification-jobs", "classifier"),
        ("POST /holds", "inventory"),
        ("process order.classified", "orders"),
        ("process order.ended", "email"),
        ("process order.ended", "inventory"),
    ];
    for (name, service) in far_sides {
        for (what, tape, scenario) in again::all() {
            let story = without(tape, |span| span.name == name && span.service == service);
            assert!(check_told_once(&story, scenario).is_err(), "{what}: {name}");
        }
    }
}

#[test]
fn does_not_excuse_an_orphan_where_no_message_was_handled_again() {
    let mut tape = happy();
    let ask = tape.find("POST /holds", "inventory", Kind::Server).parent;
    tape.lose(|span| Some(span.span_id) == ask);
    assert_breaks(Rule::Orphan, tape);
}

#[test]
fn misses_a_mail_that_no_attempt_has_sent() {
    let mut tape = again::kafka_redelivered();
    tape.lose(|span| span.name == "send mail");
    assert_misses("`send mail` (email, CLIENT)", tape);
}

#[test]
fn misses_what_each_attempt_does_though_another_did_it() {
    let mut tape = again::worker_died_when_done();
    let mut updates = tape
        .spans
        .iter()
        .filter(|span| span.name == "UPDATE orders");
    let last = updates.next_back().map(|span| span.span_id);
    tape.lose(|span| Some(span.span_id) == last);
    assert_misses("`UPDATE orders` (orders, CLIENT)", tape);
}

#[test]
fn misses_an_item_that_no_attempt_has_taken() {
    let mut tape = again::worker_died_at_work();
    tape.lose(|span| span.name == "UPDATE stock");
    assert_misses("`UPDATE stock` (inventory, CLIENT)", tape);
}

#[test]
fn holds_the_rules_against_what_remains() {
    let mut tape = again::worker_died_at_work();
    tape.find("send mail", "email", Kind::Client)
        .attributes
        .insert("mail.recipient".into(), text("alice@example.com"));
    assert_breaks(Rule::ForbiddenAttribute, tape);

    let mut tape = again::worker_died_at_work();
    tape.find("UPDATE orders", "orders", Kind::Client).status = Status::Error("deadlock".into());
    assert_breaks(Rule::Status, tape);
}

#[test]
fn still_counts_attempts_from_one() {
    let mut tape = again::kafka_redelivered();
    tape.job()
        .attributes
        .insert("orderflow.messaging.attempt".into(), Value::from(0));
    assert_breaks(Rule::Attempts, tape);
}
