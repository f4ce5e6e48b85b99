use super::*;
use crate::otlp::decode;
use crate::span::{SpanId, TraceId};
use serde_json::Value;

fn happy() -> Vec<Span> {
    decode(include_str!("../waterfall/golden/happy.json")).unwrap()
}

fn story(spans: Vec<Span>) -> Story {
    Story::new(spans[0].trace_id, spans, Vec::new())
}

fn find<'a>(spans: &'a mut [Span], service: &str, name: &str) -> &'a mut Span {
    let mut spans = spans.iter_mut();
    let found = spans.find(|span| span.service == service && span.name == name);
    found.unwrap()
}

/// Without one span and all that came of it, as when the context is lost on the way to it.
fn without(service: &str, name: &str) -> Story {
    let mut spans = happy();
    let mut lost = vec![find(&mut spans, service, name).span_id];
    // Parents begin before their children.
    spans.sort_by_key(|span| span.start);
    spans.retain(|span| {
        let is_lost =
            lost.contains(&span.span_id) || span.parent.is_some_and(|it| lost.contains(&it));
        lost.extend(is_lost.then_some(span.span_id));
        !is_lost
    });
    story(spans)
}

fn words(story: &Story) -> String {
    story
        .flaw()
        .map(|flaw| flaw.to_string())
        .unwrap_or_default()
}

#[test]
fn accepts_an_order_however_it_ended() {
    for stored in [
        include_str!("../waterfall/golden/happy.json"),
        include_str!("../waterfall/golden/no_stock.json"),
        include_str!("../waterfall/golden/linked.json"),
    ] {
        let mut spans = decode(stored).unwrap();
        spans.retain(|span| !span.is_broker_call());
        let story = story(spans);
        assert_eq!(story.flaw(), None);
        assert!(!story.was_handled_again());
    }
}

#[test]
fn names_the_first_span_that_a_lost_context_takes_away() {
    for (service, name) in [
        ("orders", "POST /orders"),
        ("orders", "send order.created"),
        ("classifier", "process order.created"),
        ("classifier", "process classification-jobs"),
        ("inventory", "POST /holds"),
        ("orders", "process order.classified"),
        ("email", "process order.ended"),
        ("inventory", "process order.ended"),
    ] {
        let words = words(&without(service, name));
        assert!(
            words.starts_with(&format!("`{name}` ({service}, ")),
            "{words}"
        );
        assert!(words.contains("it is missing, or starts a trace of its own"));
    }
}

#[test]
fn an_order_that_was_given_up_holds_no_stock() {
    let mut spans = happy();
    find(&mut spans, "classifier", "classify order").status =
        crate::span::Status::Error("the model refuses".into());
    spans.retain(|span| span.name != "POST /holds" && span.name != "UPDATE stock");
    assert_eq!(story(spans).flaw(), None);
}

#[test]
fn names_a_second_beginning_an_orphan_and_a_link_that_leads_nowhere() {
    let mut spans = happy();
    find(&mut spans, "email", "process order.ended").parent = None;
    let beginnings = words(&story(spans));
    assert!(
        beginnings.contains("should be one, not 2: `POST /orders`"),
        "{beginnings}"
    );

    let mut spans = happy();
    find(&mut spans, "inventory", "POST /holds").parent = Some(SpanId([9; 8]));
    let orphan = words(&story(spans));
    assert_eq!(
        orphan,
        "orphan: the parent of `POST /holds` (inventory, SERVER) is not in the story"
    );

    let mut spans = happy();
    let nowhere = SpanRef {
        trace_id: TraceId([7; 16]),
        span_id: SpanId([7; 8]),
    };
    find(&mut spans, "inventory", "POST /holds")
        .links
        .push(nowhere);
    assert!(words(&story(spans)).starts_with("dangling link: `POST /holds`"));
}

/// Another team's consumer: its spans are its own affair.
#[test]
fn guests_do_not_break_a_story_or_count_as_a_message_that_was_handled_again() {
    let mut spans = happy();
    let guest = find(&mut spans, "email", "process order.ended").clone();
    for number in [1, 2] {
        let mut guest = Span {
            service: "audit".into(),
            span_id: SpanId([0xa0 + number; 8]),
            ..guest.clone()
        };
        let attempt = Value::from(number);
        guest
            .attributes
            .insert("orderflow.messaging.attempt".into(), attempt);
        spans.push(Span {
            parent: Some(SpanId([9; 8])),
            span_id: SpanId([0xb0 + number; 8]),
            ..guest.clone()
        });
        spans.push(guest);
    }
    let story = story(spans);
    assert_eq!(story.flaw(), None);
    assert!(!story.was_handled_again());
    assert!(story.untaken().is_empty());
}

#[test]
fn a_message_that_comes_again_and_an_event_that_is_sent_twice_are_handled_again() {
    let mut again = happy();
    find(&mut again, "classifier", "process classification-jobs")
        .attributes
        .insert("orderflow.messaging.attempt".into(), Value::from(2));
    let mut resent = happy();
    let sent = find(&mut resent, "orders", "send order.created").clone();
    resent.push(Span {
        span_id: SpanId([0xcc; 8]),
        ..sent
    });
    for spans in [again, resent] {
        let story = story(spans);
        assert!(story.was_handled_again());
        assert_eq!(story.flaw(), None);
    }
}

fn untaken(story: &Story) -> Vec<(&str, &str)> {
    let untaken = story.untaken().into_iter();
    untaken
        .map(|due| (destination(due.sent), due.reader))
        .collect()
}

#[test]
fn a_message_that_nobody_took_waits_for_each_of_its_readers() {
    let story = without("classifier", "process order.created");
    assert_eq!(untaken(&story), [("order.created", "classifier")]);
    let story = without("inventory", "process order.ended");
    assert_eq!(untaken(&story), [("order.ended", "inventory")]);
}

#[test]
fn a_message_that_was_taken_in_a_linked_trace_does_not_wait() {
    let linked = decode(include_str!("../waterfall/golden/linked.json")).unwrap();
    assert!(untaken(&story(linked)).is_empty());
}

#[test]
fn another_teams_consumer_is_not_the_one_that_is_waited_for() {
    let mut spans = happy();
    find(&mut spans, "classifier", "process order.created").service = "audit".into();
    assert_eq!(untaken(&story(spans)), [("order.created", "classifier")]);
}
