//! Every test has its own clock: seconds since its start.

use std::time::Duration;

use super::*;
use crate::filter::Filter;
use crate::proto;
use crate::settings::{DeadLetter, Retry};

struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn at(&self, seconds: u64) -> Instant {
        self.0 + Duration::from_secs(seconds)
    }
}

fn settings() -> Settings {
    Settings::parse(proto::Subscription {
        topic: "projects/p/topics/orders".to_owned(),
        ..proto::Subscription::default()
    })
    .unwrap()
}

fn with_dead_letter() -> Settings {
    Settings {
        dead_letter: Some(DeadLetter {
            topic: "projects/p/topics/dead".parse().unwrap(),
            max_delivery_attempts: 5,
        }),
        ..settings()
    }
}

fn subscription(settings: Settings) -> Subscription {
    Subscription::new(settings, Uuid::from_u128(1))
}

fn message(data: &str) -> Arc<PubsubMessage> {
    keyed(data, "")
}

fn keyed(data: &str, key: &str) -> Arc<PubsubMessage> {
    Arc::new(PubsubMessage {
        data: data.to_owned().into(),
        ordering_key: key.to_owned(),
        ..PubsubMessage::default()
    })
}

fn published_at(data: &str, seconds: i64) -> Arc<PubsubMessage> {
    Arc::new(PubsubMessage {
        data: data.to_owned().into(),
        publish_time: Some(Timestamp { seconds, nanos: 0 }),
        ..PubsubMessage::default()
    })
}

fn data(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries
        .iter()
        .map(|delivery| str::from_utf8(&delivery.message.data).unwrap())
        .collect()
}

fn limits(messages: usize, bytes: usize) -> Limits {
    Limits {
        messages: Some(messages),
        bytes: Some(bytes),
    }
}

const DEADLINE: Duration = Duration::from_secs(10);

#[test]
fn delivers_in_the_order_of_publishing() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    for name in ["a", "b", "c"] {
        subscription.publish(message(name), clock.at(0));
    }

    assert_eq!(data(&subscription.pull(2, clock.at(0))), ["a", "b"]);
    assert_eq!(data(&subscription.pull(2, clock.at(0))), ["c"]);
    assert!(subscription.pull(2, clock.at(0)).is_empty());
}

#[test]
fn an_acknowledged_message_is_gone() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    subscription.publish(message("a"), clock.at(0));
    let delivered = subscription.pull(1, clock.at(0));

    subscription.acknowledge(delivered[0].ack_id, clock.at(1));
    subscription.advance(clock.at(100));

    assert!(subscription.pull(1, clock.at(100)).is_empty());
    assert_eq!(subscription.next_event(), None);
    assert!(subscription.entries.is_empty());
}

#[test]
fn a_lease_that_ends_brings_the_message_back_with_another_ack_id() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    subscription.publish(message("a"), clock.at(0));
    let first = subscription.pull(1, clock.at(0));
    assert_eq!(subscription.next_event(), Some(clock.at(10)));

    subscription.advance(clock.at(9));
    assert!(subscription.pull(1, clock.at(9)).is_empty());
    subscription.advance(clock.at(10));
    let second = subscription.pull(1, clock.at(10));

    assert_eq!(data(&second), ["a"]);
    assert_ne!(first[0].ack_id, second[0].ack_id);
}

#[test]
fn an_extended_lease_ends_later() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    subscription.publish(message("a"), clock.at(0));
    let delivered = subscription.pull(1, clock.at(0));

    subscription.extend(delivered[0].ack_id, clock.at(30));
    subscription.advance(clock.at(29));
    assert!(subscription.ready() == 0);
    subscription.advance(clock.at(30));
    assert!(subscription.ready() == 1);
}

#[test]
fn an_ack_id_of_an_earlier_delivery_settles_nothing() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    subscription.publish(message("a"), clock.at(0));
    let first = subscription.pull(1, clock.at(0));
    subscription.nack(first[0].ack_id, clock.at(1));
    let second = subscription.pull(1, clock.at(1));

    subscription.acknowledge(first[0].ack_id, clock.at(2));
    subscription.nack(first[0].ack_id, clock.at(2));
    assert!(subscription.ready() == 0);

    subscription.nack(second[0].ack_id, clock.at(2));
    assert!(subscription.ready() == 1);
}

#[test]
fn a_late_acknowledgement_counts_until_the_message_is_handed_out_again() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    subscription.publish(message("a"), clock.at(0));
    let delivered = subscription.pull(1, clock.at(0));
    subscription.advance(clock.at(10));

    subscription.acknowledge(delivered[0].ack_id, clock.at(11));

    assert!(subscription.pull(1, clock.at(11)).is_empty());
}

#[test]
fn an_ack_id_of_another_subscription_settles_nothing() {
    let clock = Clock::start();
    let mut one = subscription(settings());
    let mut other = Subscription::new(settings(), Uuid::from_u128(2));
    one.publish(message("a"), clock.at(0));
    other.publish(message("b"), clock.at(0));
    let delivered = one.pull(1, clock.at(0));
    other.pull(1, clock.at(0));

    other.acknowledge(delivered[0].ack_id, clock.at(1));
    other.advance(clock.at(10));

    assert_eq!(data(&other.pull(1, clock.at(10))), ["b"]);
}

#[test]
fn the_attempt_is_told_only_with_a_dead_letter_policy() {
    let clock = Clock::start();
    for (settings, attempts) in [
        (settings(), [None, None]),
        (with_dead_letter(), [Some(1), Some(2)]),
    ] {
        let mut subscription = subscription(settings);
        subscription.publish(message("a"), clock.at(0));
        for attempt in attempts {
            let delivered = subscription.pull(1, clock.at(0));
            assert_eq!(delivered[0].attempt, attempt);
            subscription.nack(delivered[0].ack_id, clock.at(0));
        }
    }
}

#[test]
fn a_message_that_failed_too_often_is_handed_over() {
    let clock = Clock::start();
    let mut subscription = subscription(with_dead_letter());
    subscription.publish(message("a"), clock.at(0));

    for attempt in 1..=5 {
        assert!(subscription.take_exhausted(clock.at(0)).is_empty());
        let delivered = subscription.pull(1, clock.at(0));
        assert_eq!(delivered[0].attempt, Some(attempt));
        subscription.nack(delivered[0].ack_id, clock.at(0));
    }

    assert!(subscription.pull(1, clock.at(0)).is_empty());
    let exhausted = subscription.take_exhausted(clock.at(0));
    assert_eq!(exhausted.len(), 1);
    assert_eq!(exhausted[0].attempts, 5);
    assert!(subscription.entries.is_empty());
}

#[test]
fn without_a_dead_letter_topic_delivery_goes_on() {
    let clock = Clock::start();
    let mut subscription = subscription(with_dead_letter());
    subscription.publish(message("a"), clock.at(0));
    for _ in 1..=5 {
        let delivered = subscription.pull(1, clock.at(0));
        subscription.nack(delivered[0].ack_id, clock.at(0));
    }

    subscription.keep_exhausted(clock.at(0));

    assert_eq!(subscription.pull(1, clock.at(0))[0].attempt, Some(6));
}

#[test]
fn a_failed_message_waits_for_its_back_off() {
    let clock = Clock::start();
    let mut subscription = subscription(Settings {
        retry: Some(Retry {
            minimum: Duration::from_secs(3),
            maximum: Duration::from_secs(5),
        }),
        ..settings()
    });
    subscription.publish(message("a"), clock.at(0));

    let mut now = 0;
    for backoff in [3, 5, 5] {
        let delivered = subscription.pull(1, clock.at(now));
        subscription.nack(delivered[0].ack_id, clock.at(now));
        assert_eq!(subscription.next_event(), Some(clock.at(now + backoff)));
        subscription.advance(clock.at(now + backoff - 1));
        assert!(subscription.ready() == 0);
        now += backoff;
        subscription.advance(clock.at(now));
    }
    assert!(subscription.ready() == 1);
}

#[test]
fn a_stream_gets_no_more_than_it_asked_for() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    let stream = subscription.open_stream(limits(2, 1000));
    for name in ["a", "b", "c"] {
        subscription.publish(message(name), clock.at(0));
    }
    let pull = |subscription: &mut Subscription| {
        subscription
            .pull_stream(stream, DEADLINE, clock.at(0))
            .unwrap()
    };

    let first = pull(&mut subscription);
    assert_eq!(data(&first), ["a", "b"]);
    assert!(pull(&mut subscription).is_empty());
    subscription.acknowledge(first[0].ack_id, clock.at(0));
    assert_eq!(data(&pull(&mut subscription)), ["c"]);
}

#[test]
fn a_lease_that_ends_no_longer_counts_against_the_stream() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    let stream = subscription.open_stream(limits(1, 1000));
    subscription.publish(message("a"), clock.at(0));
    subscription.pull_stream(stream, DEADLINE, clock.at(0));

    subscription.advance(clock.at(10));

    let again = subscription.pull_stream(stream, DEADLINE, clock.at(10));
    assert_eq!(data(&again.unwrap()), ["a"]);
}

#[test]
fn a_message_larger_than_the_allowance_comes_alone() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    let stream = subscription.open_stream(limits(10, 4));
    for name in ["aa", "larger", "bb"] {
        subscription.publish(message(name), clock.at(0));
    }

    for expected in ["aa", "larger", "bb"] {
        let delivered = subscription
            .pull_stream(stream, DEADLINE, clock.at(0))
            .unwrap();
        assert_eq!(data(&delivered), [expected]);
        subscription.acknowledge(delivered[0].ack_id, clock.at(0));
    }
}

#[test]
fn an_answer_stays_small_enough_for_any_client() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    let large = "x".repeat(2_000_000);
    for _ in 0..2 {
        subscription.publish(message(&large), clock.at(0));
    }

    assert_eq!(subscription.pull(10, clock.at(0)).len(), 1);
    assert_eq!(subscription.pull(10, clock.at(0)).len(), 1);
}

#[test]
fn streams_come_to_hold_equally_many() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    let one = subscription.open_stream(Limits::default());
    let other = subscription.open_stream(Limits::default());
    for _ in 0..10 {
        subscription.publish(message("a"), clock.at(0));
    }
    let pull = |subscription: &mut Subscription, stream| {
        subscription
            .pull_stream(stream, DEADLINE, clock.at(0))
            .unwrap()
            .len()
    };

    assert_eq!(pull(&mut subscription, one), 5);
    assert_eq!(pull(&mut subscription, one), 0);
    assert_eq!(pull(&mut subscription, other), 5);
}

#[test]
fn a_stream_without_room_does_not_hold_up_the_others() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    let full = subscription.open_stream(limits(1, 1000));
    let other = subscription.open_stream(Limits::default());
    for _ in 0..10 {
        subscription.publish(message("a"), clock.at(0));
    }

    let first = subscription.pull_stream(full, DEADLINE, clock.at(0));
    let second = subscription.pull_stream(other, DEADLINE, clock.at(0));

    assert_eq!(first.unwrap().len(), 1);
    assert_eq!(second.unwrap().len(), 9);
}

#[test]
fn a_closed_stream_gets_nothing_and_keeps_its_leases() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    let stream = subscription.open_stream(Limits::default());
    subscription.publish(message("a"), clock.at(0));
    subscription.pull_stream(stream, DEADLINE, clock.at(0));

    subscription.close_stream(stream);

    assert!(
        subscription
            .pull_stream(stream, DEADLINE, clock.at(1))
            .is_none()
    );
    assert!(subscription.pull(1, clock.at(1)).is_empty());
    subscription.advance(clock.at(10));
    assert_eq!(data(&subscription.pull(1, clock.at(10))), ["a"]);
}

#[test]
fn only_messages_that_match_the_filter_arrive() {
    let clock = Clock::start();
    let mut subscription = subscription(Settings {
        filter: Some(Filter::parse("attributes:colour").unwrap()),
        ..settings()
    });
    let coloured = PubsubMessage {
        data: "b".into(),
        attributes: [("colour".to_owned(), "red".to_owned())].into(),
        ..PubsubMessage::default()
    };

    subscription.publish(message("a"), clock.at(0));
    subscription.publish(Arc::new(coloured), clock.at(0));

    assert_eq!(data(&subscription.pull(10, clock.at(0))), ["b"]);
}

#[test]
fn messages_past_their_retention_are_dropped() {
    let clock = Clock::start();
    let mut subscription = subscription(Settings {
        retention: Duration::from_mins(10),
        ..settings()
    });
    subscription.publish(message("a"), clock.at(0));
    subscription.publish(message("b"), clock.at(1));

    assert_eq!(subscription.next_event(), Some(clock.at(600)));
    subscription.advance(clock.at(600));

    assert_eq!(data(&subscription.pull(10, clock.at(600))), ["b"]);
}

mod ordering {
    use super::*;

    fn ordered() -> Subscription {
        subscription(Settings {
            ordered: true,
            ..settings()
        })
    }

    #[test]
    fn a_key_waits_until_what_was_delivered_is_settled() {
        let clock = Clock::start();
        let mut subscription = ordered();
        for name in ["a", "b"] {
            subscription.publish(keyed(name, "key"), clock.at(0));
        }
        let first = subscription.pull(10, clock.at(0));
        assert_eq!(data(&first), ["a", "b"]);
        subscription.publish(keyed("c", "key"), clock.at(0));

        subscription.acknowledge(first[1].ack_id, clock.at(0));
        assert!(subscription.pull(10, clock.at(0)).is_empty());
        subscription.acknowledge(first[0].ack_id, clock.at(0));
        assert_eq!(data(&subscription.pull(10, clock.at(0))), ["c"]);
    }

    #[test]
    fn other_keys_and_messages_without_a_key_do_not_wait() {
        let clock = Clock::start();
        let mut subscription = ordered();
        subscription.publish(keyed("a", "one"), clock.at(0));
        subscription.pull(1, clock.at(0));

        subscription.publish(keyed("b", "one"), clock.at(0));
        subscription.publish(keyed("c", "other"), clock.at(0));
        subscription.publish(message("d"), clock.at(0));

        assert_eq!(data(&subscription.pull(10, clock.at(0))), ["c", "d"]);
    }

    #[test]
    fn a_failed_message_takes_those_after_it_back_and_comes_first() {
        let clock = Clock::start();
        let mut subscription = ordered();
        for name in ["a", "b", "c"] {
            subscription.publish(keyed(name, "key"), clock.at(0));
        }
        let first = subscription.pull(10, clock.at(0));

        subscription.nack(first[1].ack_id, clock.at(0));
        subscription.acknowledge(first[2].ack_id, clock.at(0));
        assert!(
            subscription.pull(10, clock.at(0)).is_empty(),
            "a is not settled"
        );
        subscription.acknowledge(first[0].ack_id, clock.at(0));

        assert_eq!(data(&subscription.pull(10, clock.at(0))), ["b", "c"]);
    }

    #[test]
    fn a_back_off_holds_up_the_whole_key() {
        let clock = Clock::start();
        let mut subscription = ordered();
        subscription.reconfigure(Settings {
            retry: Some(Retry {
                minimum: Duration::from_secs(5),
                maximum: Duration::from_secs(5),
            }),
            ..subscription.settings().clone()
        });
        for name in ["a", "b"] {
            subscription.publish(keyed(name, "key"), clock.at(0));
        }
        let first = subscription.pull(1, clock.at(0));
        subscription.nack(first[0].ack_id, clock.at(0));

        assert!(subscription.pull(10, clock.at(4)).is_empty());
        subscription.advance(clock.at(5));
        assert_eq!(data(&subscription.pull(10, clock.at(5))), ["a", "b"]);
    }

    #[test]
    fn a_dead_letter_lets_the_next_message_pass() {
        let clock = Clock::start();
        let mut subscription = subscription(Settings {
            ordered: true,
            ..with_dead_letter()
        });
        for name in ["a", "b"] {
            subscription.publish(keyed(name, "key"), clock.at(0));
        }
        for _ in 1..=5 {
            let delivered = subscription.pull(1, clock.at(0));
            assert_eq!(data(&delivered), ["a"]);
            subscription.nack(delivered[0].ack_id, clock.at(0));
        }

        assert_eq!(subscription.take_exhausted(clock.at(0)).len(), 1);

        let next = subscription.pull(1, clock.at(0));
        assert_eq!(data(&next), ["b"]);
        assert_eq!(next[0].attempt, Some(1));
    }
}

mod seek {
    use super::*;

    fn to(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    #[test]
    fn into_the_future_settles_everything() {
        let clock = Clock::start();
        let mut subscription = subscription(settings());
        for (name, seconds) in [("a", 100), ("b", 200)] {
            subscription.publish(published_at(name, seconds), clock.at(0));
        }
        subscription.pull(1, clock.at(0));

        subscription.seek(to(300), clock.at(1));

        subscription.advance(clock.at(100));
        assert!(subscription.pull(10, clock.at(100)).is_empty());
        assert!(subscription.entries.is_empty());
    }

    #[test]
    fn into_the_past_brings_back_what_was_retained() {
        let clock = Clock::start();
        let mut subscription = subscription(Settings {
            retain_acked: true,
            ..settings()
        });
        for (name, seconds) in [("a", 100), ("b", 200), ("c", 300)] {
            subscription.publish(published_at(name, seconds), clock.at(0));
        }
        for delivered in subscription.pull(2, clock.at(0)) {
            subscription.acknowledge(delivered.ack_id, clock.at(0));
        }

        subscription.seek(to(200), clock.at(1));

        assert_eq!(data(&subscription.pull(10, clock.at(1))), ["b", "c"]);
    }

    #[test]
    fn ends_leases_without_a_failure() {
        let clock = Clock::start();
        let mut subscription = subscription(with_dead_letter());
        let stream = subscription.open_stream(limits(1, 1000));
        subscription.publish(published_at("a", 100), clock.at(0));
        subscription.pull_stream(stream, DEADLINE, clock.at(0));

        subscription.seek(to(50), clock.at(1));

        let again = subscription
            .pull_stream(stream, DEADLINE, clock.at(1))
            .unwrap();
        assert_eq!(data(&again), ["a"]);
        assert_eq!(again[0].attempt, Some(1));
    }
}
