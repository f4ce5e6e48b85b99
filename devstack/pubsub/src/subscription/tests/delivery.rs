use super::*;
use crate::filter::Filter;

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
