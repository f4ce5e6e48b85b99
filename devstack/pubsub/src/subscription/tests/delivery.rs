use super::*;
use crate::settings::RetryPolicy;

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

    let extension = Duration::from_secs(30);
    subscription.modify_deadline(delivered[0].ack_id, extension, clock.at(0));
    subscription.advance(clock.at(29));
    assert!(subscription.ready.is_empty());
    subscription.advance(clock.at(30));
    assert!(subscription.ready.len() == 1);
}

#[test]
fn an_ack_id_of_an_earlier_delivery_settles_nothing() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    subscription.publish(message("a"), clock.at(0));
    let first = subscription.pull(1, clock.at(0));
    subscription.modify_deadline(first[0].ack_id, Duration::ZERO, clock.at(1));
    let second = subscription.pull(1, clock.at(1));

    subscription.acknowledge(first[0].ack_id, clock.at(2));
    subscription.modify_deadline(first[0].ack_id, Duration::ZERO, clock.at(2));
    assert!(subscription.ready.is_empty());

    subscription.modify_deadline(second[0].ack_id, Duration::ZERO, clock.at(2));
    assert!(subscription.ready.len() == 1);
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
    let mut other = subscription(settings());
    one.publish(message("a"), clock.at(0));
    other.publish(message("b"), clock.at(0));
    let delivered = one.pull(1, clock.at(0));
    other.pull(1, clock.at(0));

    other.acknowledge(delivered[0].ack_id, clock.at(1));
    other.advance(clock.at(10));

    assert_eq!(data(&other.pull(1, clock.at(10))), ["b"]);
}

#[test]
fn what_is_due_happens_at_its_time_however_late_one_looks() {
    let clock = Clock::start();
    let mut subscription = subscription(Settings {
        retry_policy: Some(RetryPolicy {
            minimum_backoff: Duration::from_secs(5),
            maximum_backoff: Duration::from_secs(5),
        }),
        ..settings()
    });
    subscription.publish(message("a"), clock.at(0));
    subscription.pull(1, clock.at(0));

    // The lease ended after ten seconds, and the back-off five seconds later.
    subscription.advance(clock.at(15));

    assert_eq!(data(&subscription.pull(1, clock.at(15))), ["a"]);
}

#[test]
fn a_seek_settles_what_was_published_before_and_nothing_else() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    for (name, seconds) in [("a", 100), ("b", 200), ("c", 300)] {
        subscription.publish(published_at(name, seconds), clock.at(0));
    }
    subscription.pull(1, clock.at(0));
    let time = Timestamp {
        seconds: 300,
        nanos: 0,
    };

    subscription.seek(time, clock.at(1));

    subscription.advance(clock.at(100));
    assert_eq!(data(&subscription.pull(10, clock.at(100))), ["c"]);
}
