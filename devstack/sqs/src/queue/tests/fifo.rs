use super::is_empty;
use crate::{message::Content, message_attributes::MessageAttributes, queue::*};

fn at(seconds: u64) -> Timestamp {
    Timestamp(1_000_000).plus_seconds(seconds)
}

fn queue() -> Queue {
    Queue::new(QueueConfig::new("jobs.fifo"))
}

fn message(group: &str, body: &str, now: Timestamp) -> Message {
    let content = Content {
        group_id: Some(group.to_owned()),
        ..Content::new(body.to_owned(), MessageAttributes::new())
    };
    Message {
        deduplication_id: Some(body.to_owned()),
        ..Message::new(content, now)
    }
}

/// Sends a message whose body is its deduplication id as well.
fn send(queue: &mut Queue, group: &str, body: &str, now: Timestamp) -> Accepted {
    queue.send(message(group, body, now), now, now)
}

/// A queue with the messages of one group.
fn queue_of(bodies: &[&str]) -> Queue {
    let mut queue = queue();
    for body in bodies {
        send(&mut queue, "a", body, at(0));
    }
    queue
}

fn wanted(max: usize) -> Receive {
    Receive {
        max,
        visibility_timeout: Some(30),
    }
}

/// Bodies and receipt handles.
fn receive(queue: &mut Queue, max: usize, now: Timestamp) -> (Vec<String>, Vec<String>) {
    let received = queue.receive(wanted(max), None, now);
    let deliveries = received.deliveries.into_iter();
    deliveries
        .map(|(handle, message)| (message.content.body.clone(), handle))
        .unzip()
}

fn bodies(queue: &mut Queue, max: usize, now: Timestamp) -> Vec<String> {
    receive(queue, max, now).0
}

#[test]
fn one_receive_hands_out_several_messages_of_a_group_in_order() {
    let mut queue = queue_of(&["1", "2", "3"]);
    assert_eq!(bodies(&mut queue, 2, at(0)), ["1", "2"]);
}

#[test]
fn a_message_in_flight_blocks_its_group_and_no_other() {
    let mut queue = queue_of(&["1", "2"]);
    send(&mut queue, "b", "other", at(0));
    let (first, handles) = receive(&mut queue, 1, at(0));
    assert_eq!(first, ["1"]);
    assert_eq!(bodies(&mut queue, 10, at(1)), ["other"]);
    send(&mut queue, "a", "3", at(2));
    assert!(bodies(&mut queue, 10, at(2)).is_empty());
    queue.delete(&handles[0], at(3)).unwrap();
    assert_eq!(bodies(&mut queue, 10, at(3)), ["2", "3"]);
}

#[test]
fn as_much_of_one_group_as_fits_comes_before_the_next_group() {
    let mut queue = queue();
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2")] {
        send(&mut queue, group, body, at(0));
    }
    assert_eq!(bodies(&mut queue, 3, at(0)), ["a1", "a2", "b1"]);
    assert!(bodies(&mut queue, 10, at(0)).is_empty());
}

#[test]
fn a_group_stays_blocked_until_the_last_of_a_batch_is_settled() {
    let mut queue = queue_of(&["1", "2", "3", "4"]);
    let (_, handles) = receive(&mut queue, 3, at(0));
    queue.delete(&handles[0], at(1)).unwrap();
    queue.delete(&handles[2], at(1)).unwrap();
    assert!(bodies(&mut queue, 10, at(2)).is_empty());
    queue.delete(&handles[1], at(3)).unwrap();
    assert_eq!(bodies(&mut queue, 10, at(3)), ["4"]);
}

#[test]
fn a_message_given_back_comes_again_before_the_later_ones() {
    let mut queue = queue_of(&["1", "2"]);
    let (_, handles) = receive(&mut queue, 1, at(0));
    queue.change_visibility(&handles[0], 0, at(1)).unwrap();
    assert_eq!(bodies(&mut queue, 10, at(1)), ["1", "2"]);
}

#[test]
fn messages_given_back_in_another_order_come_again_in_theirs() {
    let mut queue = queue_of(&["1", "2", "3"]);
    let (_, handles) = receive(&mut queue, 2, at(0));
    queue.change_visibility(&handles[1], 0, at(1)).unwrap();
    assert!(bodies(&mut queue, 10, at(1)).is_empty(), "1 is in flight");
    queue.change_visibility(&handles[0], 0, at(2)).unwrap();
    assert_eq!(bodies(&mut queue, 10, at(2)), ["1", "2", "3"]);
}

#[test]
fn an_expired_visibility_timeout_unblocks_the_group() {
    let mut queue = queue_of(&["1", "2"]);
    assert_eq!(bodies(&mut queue, 1, at(0)), ["1"]);
    assert!(bodies(&mut queue, 10, at(29)).is_empty());
    assert_eq!(queue.next_ready_at(), Some(at(30)));
    assert_eq!(bodies(&mut queue, 10, at(30)), ["1", "2"]);
}

#[test]
fn the_handle_of_a_message_no_longer_in_flight_deletes_nothing() {
    let mut queue = queue_of(&["1"]);
    let (_, expired) = receive(&mut queue, 1, at(0));
    let error = queue.delete(&expired[0], at(30)).unwrap_err();
    assert!(matches!(error, Error::InvalidParameterValue(_)));
    let (_, latest) = receive(&mut queue, 1, at(30));
    assert!(queue.delete(&expired[0], at(31)).is_err());
    queue.delete(&latest[0], at(31)).unwrap();
    queue.delete(&latest[0], at(31)).unwrap();
}

#[test]
fn a_dead_letter_unblocks_its_group_within_the_same_receive() {
    let mut queue = queue_of(&["1", "2", "3"]);
    assert_eq!(bodies(&mut queue, 2, at(0)), ["1", "2"]);
    let received = queue.receive(wanted(10), Some(1), at(30));
    assert_eq!(received.dead_letters.len(), 2);
    assert_eq!(received.deliveries.len(), 1);
    assert_eq!(received.deliveries[0].1.content.body, "3");
}

#[test]
fn a_duplicate_is_answered_like_the_first_and_is_not_there() {
    let mut queue = queue();
    let first = send(&mut queue, "a", "1", at(0));
    let (_, handles) = receive(&mut queue, 1, at(0));
    queue.delete(&handles[0], at(1)).unwrap();
    assert_eq!(send(&mut queue, "b", "1", at(299)), first);
    assert!(bodies(&mut queue, 10, at(299)).is_empty());
    let later = send(&mut queue, "a", "1", at(300));
    assert_ne!(later.message_id, first.message_id);
    assert!(later.sequence_number > first.sequence_number);
    assert_eq!(bodies(&mut queue, 10, at(300)), ["1"]);
}

#[test]
fn counts_what_waits_behind_others_as_ready() {
    let mut queue = queue_of(&["1", "2", "3"]);
    assert_eq!(queue.counts(at(0)).ready, 3);
    bodies(&mut queue, 1, at(0));
    let counts = queue.counts(at(0));
    assert_eq!((counts.ready, counts.in_flight), (2, 1));
}

#[test]
fn stops_at_the_limit_of_messages_in_flight_without_a_word() {
    let mut queue = queue();
    for n in 0..=limits::MAX_IN_FLIGHT {
        send(&mut queue, "a", &n.to_string(), at(0));
    }
    let all = queue.receive(wanted(usize::MAX), None, at(0));
    assert_eq!(all.deliveries.len(), limits::MAX_IN_FLIGHT);
    assert!(!all.over_limit);
}

#[test]
fn a_purge_forgets_groups_and_duplicates() {
    let mut queue = queue_of(&["1", "2"]);
    bodies(&mut queue, 1, at(0));
    queue.purge();
    send(&mut queue, "a", "1", at(2));
    assert_eq!(bodies(&mut queue, 10, at(2)), ["1"]);
}

#[test]
fn keeps_nothing_of_a_deleted_message_but_its_deduplication_id() {
    let mut queue = queue_of(&["1", "2"]);
    let (_, handles) = receive(&mut queue, 2, at(0));
    for handle in handles {
        queue.delete(&handle, at(0)).unwrap();
    }
    assert!(is_empty(&queue));
}
