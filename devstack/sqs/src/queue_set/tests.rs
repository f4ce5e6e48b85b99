use super::*;
use crate::{
    message::{Content, Message},
    message_attributes::MessageAttributes,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(0).plus_seconds(seconds)
}

fn attributes(name: &str, value: &str) -> QueueAttributes {
    QueueAttributes::from([(name.to_owned(), value.to_owned())])
}

fn redrive_to(name: &str, max_receive_count: u32) -> QueueAttributes {
    let policy = RedrivePolicy {
        dead_letter_queue: name.to_owned(),
        max_receive_count,
    };
    attributes("RedrivePolicy", &policy.to_json())
}

fn create(queues: &mut QueueSet, name: &str, attributes: &QueueAttributes) -> Result<(), Error> {
    queues.create(name, attributes, at(0))
}

fn send(queues: &mut QueueSet, name: &str, message: Message) {
    let sent = queues.change(name, |queue| Ok(queue.send(message, at(0), at(0))));
    sent.unwrap();
}

/// `jobs`, whose messages go to `dead` after one receive, with one message.
fn jobs_and_dead() -> QueueSet {
    let mut queues = QueueSet::default();
    create(&mut queues, "dead", &QueueAttributes::new()).unwrap();
    create(&mut queues, "jobs", &redrive_to("dead", 1)).unwrap();
    let content = Content::new("a".to_owned(), MessageAttributes::new());
    send(&mut queues, "jobs", Message::new(content, at(0)));
    queues
}

fn receive(queues: &mut QueueSet, name: &str, now: Timestamp) -> Vec<Message> {
    let received = queues.receive(name, 10, None, now).unwrap();
    received
        .deliveries
        .into_iter()
        .map(|(_, message)| message)
        .collect()
}

#[test]
fn moves_a_message_that_was_received_too_often() {
    let mut queues = jobs_and_dead();
    assert_eq!(receive(&mut queues, "jobs", at(0)).len(), 1);
    assert!(receive(&mut queues, "jobs", at(30)).is_empty());
    let dead = receive(&mut queues, "dead", at(30));
    assert_eq!(dead[0].receive_count, 2, "receives count over all queues");
    assert_eq!(dead[0].sent_at, at(0), "its age goes on");
    assert_eq!(dead[0].dead_letter_source.as_deref(), Some("jobs"));
}

#[test]
fn goes_on_delivering_when_the_dead_letter_queue_is_gone() {
    let mut queues = jobs_and_dead();
    queues.delete("dead", at(0)).unwrap();
    for round in 0..3 {
        assert_eq!(receive(&mut queues, "jobs", at(round * 30)).len(), 1);
    }
}

#[test]
fn creating_again_succeeds_only_with_the_same_attributes() {
    let mut queues = jobs_and_dead();
    create(&mut queues, "jobs", &redrive_to("dead", 1)).unwrap();
    let error = create(&mut queues, "jobs", &attributes("DelaySeconds", "1")).unwrap_err();
    assert!(matches!(error, Error::QueueNameExists));
}

#[test]
fn a_deleted_name_is_free_again_after_a_minute() {
    let mut queues = jobs_and_dead();
    queues.delete("jobs", at(0)).unwrap();
    let none = QueueAttributes::new();
    let error = queues.create("jobs", &none, at(59)).unwrap_err();
    assert!(matches!(error, Error::QueueDeletedRecently));
    queues.create("jobs", &none, at(60)).unwrap();
}

#[test]
fn refuses_a_dead_letter_queue_that_is_missing() {
    let mut queues = jobs_and_dead();
    let error = create(&mut queues, "other", &redrive_to("missing", 1)).unwrap_err();
    assert!(matches!(error, Error::InvalidParameterValue(_)));
}

#[test]
fn a_dead_letter_queue_is_of_the_same_kind_as_its_source() {
    let mut queues = jobs_and_dead();
    let mut fifo = attributes("FifoQueue", "true");
    create(&mut queues, "dead.fifo", &fifo).unwrap();
    assert!(create(&mut queues, "other", &redrive_to("dead.fifo", 1)).is_err());
    fifo.extend(redrive_to("dead", 1));
    assert!(create(&mut queues, "jobs.fifo", &fifo).is_err());
}

/// `jobs.fifo`, whose messages go to `dead.fifo` after one receive, with messages of one group.
fn fifo_jobs_and_dead(bodies: &[&str]) -> QueueSet {
    let mut queues = QueueSet::default();
    let mut fifo = attributes("FifoQueue", "true");
    create(&mut queues, "dead.fifo", &fifo).unwrap();
    fifo.extend(redrive_to("dead.fifo", 1));
    create(&mut queues, "jobs.fifo", &fifo).unwrap();
    for body in bodies {
        let content = Content {
            group_id: Some("a".to_owned()),
            ..Content::new((*body).to_owned(), MessageAttributes::new())
        };
        let message = Message {
            deduplication_id: Some((*body).to_owned()),
            ..Message::new(content, at(0))
        };
        send(&mut queues, "jobs.fifo", message);
    }
    queues
}

#[test]
fn a_dead_letter_keeps_its_group_and_begins_its_age_anew() {
    let mut queues = fifo_jobs_and_dead(&["1"]);
    receive(&mut queues, "jobs.fifo", at(0));
    assert!(receive(&mut queues, "jobs.fifo", at(30)).is_empty());
    let dead = receive(&mut queues, "dead.fifo", at(30)).remove(0);
    assert_eq!(dead.content.group_id.as_deref(), Some("a"));
    assert_eq!(dead.deduplication_id, Some(dead.id.to_string()));
    assert_eq!(dead.sent_at, at(30));
}
