use super::*;

fn subscription() -> proto::Subscription {
    proto::Subscription {
        topic: "projects/p/topics/orders".to_owned(),
        ..proto::Subscription::default()
    }
}

#[test]
fn fills_in_the_defaults() {
    let settings = Settings::parse(subscription()).unwrap();

    assert_eq!(settings.ack_deadline, Duration::from_secs(10));
    assert_eq!(settings.retention, Duration::from_hours(7 * 24));
    assert_eq!(settings.dead_letter, None);
    assert_eq!(settings.retry, None);
}

#[test]
fn what_was_read_is_printed_back() {
    let from = proto::Subscription {
        ack_deadline_seconds: 30,
        filter: "attributes:a".to_owned(),
        enable_message_ordering: true,
        dead_letter_policy: Some(proto::DeadLetterPolicy {
            dead_letter_topic: "projects/p/topics/dead".to_owned(),
            max_delivery_attempts: 20,
        }),
        labels: [("team".to_owned(), "orders".to_owned())].into(),
        ..subscription()
    };
    let name = "projects/p/subscriptions/orders".parse().unwrap();
    let settings = Settings::parse(from).unwrap();

    let again = Settings::parse(settings.to_proto(&name)).unwrap();

    assert_eq!(again, settings);
}

#[test]
fn rejects_values_out_of_range() {
    let refused = [
        proto::Subscription {
            ack_deadline_seconds: 9,
            ..subscription()
        },
        proto::Subscription {
            dead_letter_policy: Some(proto::DeadLetterPolicy {
                dead_letter_topic: "projects/p/topics/dead".to_owned(),
                max_delivery_attempts: 4,
            }),
            ..subscription()
        },
        proto::Subscription {
            retry_policy: Some(proto::RetryPolicy {
                minimum_backoff: to_proto(Duration::from_secs(20)),
                maximum_backoff: to_proto(Duration::from_secs(10)),
            }),
            ..subscription()
        },
        proto::Subscription {
            message_retention_duration: to_proto(Duration::from_secs(1)),
            ..subscription()
        },
        proto::Subscription {
            expiration_policy: Some(proto::ExpirationPolicy {
                ttl: to_proto(Duration::from_hours(23)),
            }),
            ..subscription()
        },
    ];

    for from in refused {
        assert!(matches!(
            Settings::parse(from),
            Err(Error::InvalidArgument(_))
        ));
    }
}

#[test]
fn rejects_the_least_duration_there_is() {
    let least = Some(prost_types::Duration {
        seconds: i64::MIN,
        nanos: 0,
    });
    let retained = proto::Subscription {
        message_retention_duration: least,
        ..subscription()
    };
    let expiring = proto::Subscription {
        expiration_policy: Some(proto::ExpirationPolicy { ttl: least }),
        ..subscription()
    };

    for from in [retained, expiring] {
        assert!(matches!(
            Settings::parse(from),
            Err(Error::InvalidArgument(_))
        ));
    }
}

#[test]
fn refuses_delivery_that_it_cannot_do() {
    let exactly_once = proto::Subscription {
        enable_exactly_once_delivery: true,
        ..subscription()
    };
    let push = proto::Subscription {
        push_config: Some(proto::PushConfig {
            push_endpoint: "https://example.com".to_owned(),
        }),
        ..subscription()
    };

    for from in [exactly_once, push] {
        assert!(matches!(
            Settings::parse(from),
            Err(Error::Unimplemented(_))
        ));
    }
}

#[test]
fn the_back_off_doubles_up_to_its_maximum() {
    let retry = Retry {
        minimum: Duration::from_secs(1),
        maximum: Duration::from_secs(5),
    };

    let waits: Vec<u64> = (1..=5).map(|n| retry.backoff(n).as_secs()).collect();

    assert_eq!(waits, [1, 2, 4, 5, 5]);
    assert_eq!(retry.backoff(u32::MAX), Duration::from_secs(5));
}
