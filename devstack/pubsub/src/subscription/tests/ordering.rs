use super::*;
use crate::settings::RetryPolicy;

fn ordered() -> Subscription {
    subscription(Settings {
        enable_message_ordering: true,
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

    subscription.modify_deadline(first[1].ack_id, Duration::ZERO, clock.at(0));
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
    let mut subscription = subscription(Settings {
        enable_message_ordering: true,
        retry_policy: Some(RetryPolicy {
            minimum_backoff: Duration::from_secs(5),
            maximum_backoff: Duration::from_secs(5),
        }),
        ..settings()
    });
    for name in ["a", "b"] {
        subscription.publish(keyed(name, "key"), clock.at(0));
    }
    let first = subscription.pull(1, clock.at(0));
    subscription.modify_deadline(first[0].ack_id, Duration::ZERO, clock.at(0));

    assert!(subscription.pull(10, clock.at(4)).is_empty());
    subscription.advance(clock.at(5));
    assert_eq!(data(&subscription.pull(10, clock.at(5))), ["a", "b"]);
}

#[test]
fn a_dead_letter_lets_the_next_message_pass() {
    let clock = Clock::start();
    let mut subscription = subscription(Settings {
        enable_message_ordering: true,
        ..with_dead_letter()
    });
    for name in ["a", "b"] {
        subscription.publish(keyed(name, "key"), clock.at(0));
    }
    for _ in 1..=5 {
        let delivered = subscription.pull(1, clock.at(0));
        assert_eq!(data(&delivered), ["a"]);
        subscription.modify_deadline(delivered[0].ack_id, Duration::ZERO, clock.at(0));
    }

    assert_eq!(subscription.exhausted.len(), 1);
    let next = subscription.pull(1, clock.at(0));
    assert_eq!(data(&next), ["b"]);
    assert_eq!(next[0].attempt, Some(1));
}
