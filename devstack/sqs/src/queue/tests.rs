mod fifo;

use super::*;
use crate::{message::Content, message_attributes::MessageAttributes};

fn at(seconds: u64) -> Timestamp {
    Timestamp(1_000_000).plus_seconds(seconds)
}

fn queue() -> Queue {
    Queue::new(QueueConfig::new("jobs"))
}

fn send(queue: &mut Queue, body: &str, now: Timestamp) {
    let content = Content::new(body.to_owned(), MessageAttributes::new());
    queue.add(Message::new(content, now), now, now);
}

fn wanted(max: usize) -> Receive {
    Receive {
        max,
        visibility_timeout: Some(30),
    }
}

fn bodies(received: &Received) -> Vec<&str> {
    let deliveries = received.deliveries.iter();
    deliveries
        .map(|(_, message)| message.content.body.as_str())
        .collect()
}

fn is_empty(queue: &Queue) -> bool {
    queue.entries.is_empty()
        && queue.groups.is_empty()
        && queue.hidden.is_empty()
        && queue.ready.is_empty()
}

/// Receives the one message that must be there and gives its handle.
fn receive_one(queue: &mut Queue, now: Timestamp) -> String {
    let received = queue.receive(wanted(1), None, now);
    assert_eq!(received.deliveries.len(), 1);
    received.deliveries[0].0.clone()
}

#[test]
fn hands_out_the_oldest_first_and_no_more_than_asked() {
    let mut queue = queue();
    for body in ["a", "b", "c"] {
        send(&mut queue, body, at(0));
    }
    assert_eq!(bodies(&queue.receive(wanted(2), None, at(0))), ["a", "b"]);
    assert_eq!(bodies(&queue.receive(wanted(2), None, at(0))), ["c"]);
}

#[test]
fn hides_a_received_message_until_its_timeout_has_passed() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    receive_one(&mut queue, at(0));
    assert!(queue.receive(wanted(1), None, at(29)).deliveries.is_empty());
    assert_eq!(queue.next_ready_at(), Some(at(30)));
    assert_eq!(bodies(&queue.receive(wanted(1), None, at(30))), ["a"]);
}

#[test]
fn counts_receives_and_remembers_the_first() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    receive_one(&mut queue, at(1));
    let again = queue.receive(wanted(1), None, at(40));
    let (_, message) = &again.deliveries[0];
    assert_eq!(message.receive_count, 2);
    assert_eq!(message.first_received_at, Some(at(1)));
}

#[test]
fn delays_a_message() {
    let mut queue = queue();
    let content = Content::new("a".to_owned(), MessageAttributes::new());
    queue.add(Message::new(content, at(0)), at(5), at(0));
    assert_eq!(queue.counts(at(4)).delayed, 1);
    assert!(queue.receive(wanted(1), None, at(4)).deliveries.is_empty());
    assert_eq!(bodies(&queue.receive(wanted(1), None, at(5))), ["a"]);
}

#[test]
fn deletes_a_message_by_its_handle_even_after_the_timeout() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    let handle = receive_one(&mut queue, at(0));
    queue.delete(&handle, at(30)).unwrap();
    assert!(queue.receive(wanted(1), None, at(60)).deliveries.is_empty());
    let again = queue.delete(&handle, at(60));
    assert!(again.is_ok(), "deleting again does no harm");
}

#[test]
fn an_older_handle_succeeds_and_deletes_nothing() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    let older = receive_one(&mut queue, at(0));
    let newer = receive_one(&mut queue, at(30));
    assert_ne!(older, newer);
    queue.delete(&older, at(30)).unwrap();
    assert_eq!(queue.counts(at(30)).in_flight, 1);
    queue.delete(&newer, at(30)).unwrap();
    assert_eq!(queue.counts(at(30)).in_flight, 0);
}

#[test]
fn refuses_the_handle_of_another_queue() {
    let (mut one, mut other) = (queue(), queue());
    send(&mut one, "a", at(0));
    let handle = receive_one(&mut one, at(0));
    let error = other.delete(&handle, at(0)).unwrap_err();
    assert!(matches!(error, Error::ReceiptHandleIsInvalid));
    for made_up in ["", "made up", "a/b/c", "ü", &format!("{handle}/1")] {
        let error = one.delete(made_up, at(0)).unwrap_err();
        assert!(matches!(error, Error::ReceiptHandleIsInvalid), "{made_up}");
    }
}

#[test]
fn ends_the_invisibility_with_a_timeout_of_zero() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    let handle = receive_one(&mut queue, at(0));
    queue.change_visibility(&handle, 0, at(1)).unwrap();
    assert_eq!(bodies(&queue.receive(wanted(1), None, at(1))), ["a"]);
}

#[test]
fn extends_the_invisibility_up_to_twelve_hours_in_all() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    let handle = receive_one(&mut queue, at(0));
    queue.change_visibility(&handle, 100, at(20)).unwrap();
    assert!(
        queue
            .receive(wanted(1), None, at(119))
            .deliveries
            .is_empty()
    );
    let error = queue
        .change_visibility(&handle, 43_200, at(20))
        .unwrap_err();
    assert!(error.to_string().contains("43200"));
}

#[test]
fn refuses_to_change_the_visibility_of_what_is_not_in_flight() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    let handle = receive_one(&mut queue, at(0));
    let error = queue.change_visibility(&handle, 5, at(30)).unwrap_err();
    assert!(matches!(error, Error::MessageNotInflight));
    queue.delete(&handle, at(30)).unwrap();
    let error = queue.change_visibility(&handle, 5, at(30)).unwrap_err();
    assert!(matches!(error, Error::InvalidParameterValue(_)));
}

#[test]
fn takes_out_a_message_that_was_delivered_often_enough() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    for round in 0..2 {
        assert_eq!(
            bodies(&queue.receive(wanted(10), Some(2), at(round * 30))),
            ["a"]
        );
    }
    let third = queue.receive(wanted(10), Some(2), at(60));
    assert!(third.deliveries.is_empty());
    assert_eq!(third.dead_letters[0].receive_count, 2);
    assert_eq!(queue.counts(at(60)).ready, 0);
}

#[test]
fn a_message_given_back_waits_behind_those_that_wait_already() {
    let mut queue = queue();
    send(&mut queue, "failing", at(0));
    send(&mut queue, "next", at(1));
    let handle = receive_one(&mut queue, at(2));
    queue.change_visibility(&handle, 0, at(2)).unwrap();
    assert_eq!(
        bodies(&queue.receive(wanted(2), None, at(2))),
        ["next", "failing"]
    );
}

#[test]
fn purges_everything() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    send(&mut queue, "b", at(0));
    receive_one(&mut queue, at(0));
    queue.purge();
    let counts = queue.counts(at(1));
    assert_eq!((counts.ready, counts.in_flight), (0, 0));
}

#[test]
fn stops_at_the_limit_of_messages_in_flight() {
    let mut queue = queue();
    for _ in 0..=limits::MAX_IN_FLIGHT {
        send(&mut queue, "a", at(0));
    }
    let all = queue.receive(wanted(usize::MAX), None, at(0));
    assert_eq!(all.deliveries.len(), limits::MAX_IN_FLIGHT);
    assert!(all.over_limit);
    queue.delete(&all.deliveries[0].0, at(0)).unwrap();
    receive_one(&mut queue, at(0));
}

#[test]
fn keeps_nothing_of_a_deleted_message() {
    let mut queue = queue();
    send(&mut queue, "a", at(0));
    let handle = receive_one(&mut queue, at(0));
    queue.delete(&handle, at(0)).unwrap();
    assert!(is_empty(&queue));
}
