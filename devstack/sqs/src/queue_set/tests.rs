use super::*;
use crate::{
    message::{Content, Message},
    message_attributes::MessageAttributes,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp(0).plus_seconds(seconds)
}

fn send(queues: &mut QueueSet, name: &str, message: Message) {
    queues.get(name).unwrap().send(message, at(0), at(0));
}

/// `jobs`, whose messages go to `dead` after one receive, with one message.
fn jobs_and_dead() -> QueueSet {
    let jobs = QueueConfig::new("jobs").with_redrive("dead", 1);
    let queues = Queues::new().with_queue(jobs);
    let queues = queues.with_queue(QueueConfig::new("dead"));
    let mut queues = QueueSet::of(&queues).unwrap();
    let content = Content::new("a".to_owned(), MessageAttributes::new());
    send(&mut queues, "jobs", Message::new(content, at(0)));
    queues
}

fn receive(queues: &mut QueueSet, name: &str, now: Timestamp) -> Vec<Message> {
    let wanted = Receive {
        max: 10,
        visibility_timeout: None,
    };
    let received = queues.receive(name, wanted, now).unwrap();
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
    queues.delete("dead").unwrap();
    for round in 0..3 {
        assert_eq!(receive(&mut queues, "jobs", at(round * 30)).len(), 1);
    }
}

#[test]
fn creating_again_changes_nothing() {
    let mut queues = jobs_and_dead();
    queues.create(QueueConfig::new("jobs")).unwrap();
    assert_eq!(receive(&mut queues, "jobs", at(0)).len(), 1);
}

#[test]
fn a_dead_letter_queue_is_there_and_of_the_same_kind_as_its_source() {
    for (name, dead) in [("jobs", "gone"), ("jobs", "d.fifo"), ("j.fifo", "d")] {
        let queues = Queues::new()
            .with_queue(QueueConfig::new(name).with_redrive(dead, 1))
            .with_queue(QueueConfig::new("d"))
            .with_queue(QueueConfig::new("d.fifo"));
        let error = QueueSet::of(&queues).unwrap_err().to_string();
        assert!(error.contains(dead) && error.contains(name), "{error}");
    }
}

/// `jobs.fifo`, whose messages go to `dead.fifo` after one receive, with messages of one group.
fn fifo_jobs_and_dead(bodies: &[&str]) -> QueueSet {
    let jobs = QueueConfig::new("jobs.fifo").with_redrive("dead.fifo", 1);
    let queues = Queues::new().with_queue(jobs);
    let queues = queues.with_queue(QueueConfig::new("dead.fifo"));
    let mut queues = QueueSet::of(&queues).unwrap();
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
