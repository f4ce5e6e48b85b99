use super::*;
use crate::{
    message::Content, message_attributes::MessageAttributes, redrive, redrive::RedrivePolicy,
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
    queues.create(name, attributes, BTreeMap::new(), at(0))
}

/// `jobs`, whose messages go to `dead` after one receive, with one message.
fn jobs_and_dead() -> QueueSet {
    let mut queues = QueueSet::default();
    create(&mut queues, "dead", &QueueAttributes::new()).unwrap();
    create(&mut queues, "jobs", &redrive_to("dead", 1)).unwrap();
    let content = Content::new("a".to_owned(), MessageAttributes::new());
    let message = Message::new(content, at(0));
    queues.send("jobs", message, at(0), at(0)).unwrap();
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
fn sends_a_dead_letter_back_as_a_new_message() {
    let mut queues = jobs_and_dead();
    let first = receive(&mut queues, "jobs", at(0)).remove(0);
    receive(&mut queues, "jobs", at(30));
    let task = queues.start_move("dead", None, None, at(40)).unwrap();
    assert!(!queues.advance_move(task, at(40)), "it is done at once");
    let back = receive(&mut queues, "jobs", at(40)).remove(0);
    assert_ne!(back.id, first.id);
    assert_eq!((back.receive_count, back.sent_at), (1, at(40)));
}

#[test]
fn a_message_without_a_way_back_stays_a_dead_letter() {
    let mut queues = jobs_and_dead();
    let content = Content::new("stray".to_owned(), MessageAttributes::new());
    queues
        .send("dead", Message::new(content, at(0)), at(0), at(0))
        .unwrap();
    queues.start_move("dead", None, None, at(0)).unwrap();
    assert_eq!(queues.move_tasks[0].status.name(), "FAILED");
    assert_eq!(receive(&mut queues, "dead", at(0)).len(), 1);
}

#[test]
fn moves_no_more_than_the_rate_in_one_step() {
    let mut queues = jobs_and_dead();
    for _ in 0..3 {
        let content = Content::new("a".to_owned(), MessageAttributes::new());
        queues
            .send("dead", Message::new(content, at(0)), at(0), at(0))
            .unwrap();
    }
    let task = queues
        .start_move("dead", Some("jobs"), Some(2), at(0))
        .unwrap();
    assert_eq!(queues.move_tasks[0].moved, 2);
    assert!(!queues.advance_move(task, at(1)));
    assert_eq!(queues.move_tasks[0].moved, 3);
}

#[test]
fn only_a_dead_letter_queue_can_be_moved_from() {
    let mut queues = jobs_and_dead();
    let error = queues.start_move("jobs", None, None, at(0)).unwrap_err();
    assert!(matches!(error, Error::InvalidParameterValue(_)));
    let error = queues.start_move("none", None, None, at(0)).unwrap_err();
    assert!(matches!(error, Error::ResourceNotFound(_)));
}

#[test]
fn creating_again_succeeds_only_with_the_same_attributes() {
    let mut queues = jobs_and_dead();
    create(&mut queues, "jobs", &redrive_to("dead", 1)).unwrap();
    let error = create(&mut queues, "jobs", &attributes("DelaySeconds", "1")).unwrap_err();
    assert!(matches!(error, Error::QueueNameExists("DelaySeconds")));
}

#[test]
fn a_deleted_name_is_free_again_after_a_minute() {
    let mut queues = jobs_and_dead();
    queues.delete("jobs", at(0)).unwrap();
    let none = QueueAttributes::new();
    let error = queues
        .create("jobs", &none, BTreeMap::new(), at(59))
        .unwrap_err();
    assert!(matches!(error, Error::QueueDeletedRecently));
    queues
        .create("jobs", &none, BTreeMap::new(), at(60))
        .unwrap();
}

#[test]
fn refuses_a_dead_letter_queue_that_is_missing_or_unwilling() {
    let mut queues = jobs_and_dead();
    assert!(create(&mut queues, "other", &redrive_to("missing", 1)).is_err());
    let policy = format!(
        r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{}"]}}"#,
        redrive::arn("jobs")
    );
    let only_jobs = attributes("RedriveAllowPolicy", &policy);
    queues.set_attributes("dead", &only_jobs, at(0)).unwrap();
    assert!(create(&mut queues, "other", &redrive_to("dead", 1)).is_err());
    queues
        .set_attributes("jobs", &redrive_to("dead", 5), at(0))
        .unwrap();
}

#[test]
fn the_name_of_a_queue_and_its_kind_must_agree() {
    let mut queues = QueueSet::default();
    let fifo = attributes("FifoQueue", "true");
    let standard = QueueAttributes::new();
    let longest = format!("{}.fifo", "a".repeat(75));
    create(&mut queues, &longest, &fifo).unwrap();
    create(&mut queues, &longest, &fifo).unwrap();
    for (name, attributes) in [
        ("jobs.fifo", &standard),
        ("jobs", &fifo),
        (".fifo", &fifo),
        ("a b", &standard),
        (&format!("a{longest}"), &fifo),
    ] {
        let error = create(&mut queues, name, attributes).unwrap_err();
        assert!(matches!(error, Error::InvalidParameterValue(_)), "{name}");
    }
}

#[test]
fn a_dead_letter_queue_is_of_the_same_kind_as_its_source() {
    let mut queues = jobs_and_dead();
    let mut fifo = attributes("FifoQueue", "true");
    create(&mut queues, "dead.fifo", &fifo).unwrap();
    assert!(create(&mut queues, "other", &redrive_to("dead.fifo", 1)).is_err());
    fifo.extend(redrive_to("dead", 1));
    assert!(create(&mut queues, "jobs.fifo", &fifo).is_err());
    let error = queues.start_move("dead", Some("dead.fifo"), None, at(0));
    assert!(matches!(error, Err(Error::InvalidParameterValue(_))));
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
        queues.send("jobs.fifo", message, at(0), at(0)).unwrap();
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

#[test]
fn a_move_task_brings_a_group_back_in_its_order() {
    let mut queues = fifo_jobs_and_dead(&["1", "2", "3"]);
    assert_eq!(receive(&mut queues, "jobs.fifo", at(0)).len(), 3);
    assert!(receive(&mut queues, "jobs.fifo", at(30)).is_empty());
    queues.start_move("dead.fifo", None, None, at(31)).unwrap();
    assert_eq!(queues.move_tasks[0].moved, 3);
    let back = receive(&mut queues, "jobs.fifo", at(31));
    let bodies: Vec<&str> = back.iter().map(|m| m.content.body.as_str()).collect();
    assert_eq!(bodies, ["1", "2", "3"]);
}
