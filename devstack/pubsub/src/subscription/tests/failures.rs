use super::*;
use crate::settings::RetryPolicy;

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
            subscription.modify_deadline(delivered[0].ack_id, Duration::ZERO, clock.at(0));
        }
    }
}

#[test]
fn a_message_that_failed_too_often_is_handed_over() {
    let clock = Clock::start();
    let mut subscription = subscription(with_dead_letter());
    subscription.publish(message("a"), clock.at(0));

    for attempt in 1..=5 {
        assert!(subscription.exhausted.is_empty());
        let delivered = subscription.pull(1, clock.at(0));
        assert_eq!(delivered[0].attempt, Some(attempt));
        subscription.modify_deadline(delivered[0].ack_id, Duration::ZERO, clock.at(0));
    }

    assert!(subscription.pull(1, clock.at(0)).is_empty());
    let exhausted = &subscription.exhausted;
    assert_eq!(exhausted.len(), 1);
    assert_eq!(exhausted[0].1, 5);
}

#[test]
fn a_failed_message_waits_for_its_back_off() {
    let clock = Clock::start();
    let mut subscription = subscription(Settings {
        retry_policy: Some(RetryPolicy {
            minimum_backoff: Duration::from_secs(3),
            maximum_backoff: Duration::from_secs(5),
        }),
        ..settings()
    });
    subscription.publish(message("a"), clock.at(0));

    let mut now = 0;
    for backoff in [3, 5, 5] {
        let delivered = subscription.pull(1, clock.at(now));
        subscription.modify_deadline(delivered[0].ack_id, Duration::ZERO, clock.at(now));
        assert_eq!(subscription.next_event(), Some(clock.at(now + backoff)));
        subscription.advance(clock.at(now + backoff - 1));
        assert!(subscription.ready.is_empty());
        now += backoff;
        subscription.advance(clock.at(now));
    }
    assert!(subscription.ready.len() == 1);
}
