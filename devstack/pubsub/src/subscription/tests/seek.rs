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
