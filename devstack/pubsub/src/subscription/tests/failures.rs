use super::*;
use crate::settings::Retry;

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
