use super::*;

#[test]
fn a_stream_gets_no_more_than_it_asked_for() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    let stream = subscription.streams.open(limits(2, 1000));
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
    let stream = subscription.streams.open(limits(1, 1000));
    subscription.publish(message("a"), clock.at(0));
    subscription
        .pull_stream(stream, DEADLINE, clock.at(0))
        .unwrap();

    subscription.advance(clock.at(10));

    let again = subscription.pull_stream(stream, DEADLINE, clock.at(10));
    assert_eq!(data(&again.unwrap()), ["a"]);
}

#[test]
fn a_message_larger_than_the_allowance_comes_alone() {
    let clock = Clock::start();
    let mut subscription = subscription(settings());
    let stream = subscription.streams.open(limits(10, 4));
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
    let one = subscription.streams.open(limits(usize::MAX, usize::MAX));
    let other = subscription.streams.open(limits(usize::MAX, usize::MAX));
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
    let full = subscription.streams.open(limits(1, 1000));
    let other = subscription.streams.open(limits(usize::MAX, usize::MAX));
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
    let stream = subscription.streams.open(limits(usize::MAX, usize::MAX));
    subscription.publish(message("a"), clock.at(0));
    subscription
        .pull_stream(stream, DEADLINE, clock.at(0))
        .unwrap();

    subscription.streams.close(stream);

    assert!(
        subscription
            .pull_stream(stream, DEADLINE, clock.at(1))
            .is_err()
    );
    assert!(subscription.pull(1, clock.at(1)).is_empty());
    subscription.advance(clock.at(10));
    assert_eq!(data(&subscription.pull(1, clock.at(10))), ["a"]);
}
