//! The deadlines of a stop, held against each other: each is longer than all that is waited for within it.

use std::fs;
use std::path::Path;

use super::*;

/// For what happens between the parts of a stop, on a machine that is busy.
const ROOM: Duration = Duration::from_secs(2);

/// What `file` of the repository has after `before`, up to what is no digit.
fn number_in(file: &str, before: &str) -> u64 {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (_, after) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{file} has no {before:?} any more"));
    let digits = after.chars().filter(|digit| *digit != '_');
    let digits: String = digits.take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

fn seconds_in(file: &str, before: &str) -> Duration {
    Duration::from_secs(number_in(file, before))
}

/// What messages in hand may take, unless somebody sets it.
fn messages() -> Duration {
    Duration::from_millis(number_in(
        "shared/brokers/src/messaging.rs",
        "\"MESSAGING_SHUTDOWN_TIMEOUT_MS\", default_value_t = ",
    ))
}

/// The longest that a service lives after it was told to stop.
fn life() -> Duration {
    DRAIN.max(messages() + GRACE) + telemetry::STOP_WITHIN
}

#[test]
fn a_service_waits_for_its_consumers_until_they_have_left() {
    for (file, closing) in [
        ("kafka", "LEAVE_WITHIN"),
        ("sqs", "ANSWER_WITHIN"),
        ("pubsub", "CLOSE_WITHIN"),
    ] {
        let file = format!("shared/messaging/src/{file}/consumer.rs");
        let closing = seconds_in(
            &file,
            &format!("const {closing}: Duration = Duration::from_secs("),
        );
        assert!(closing < GRACE, "{file}: {closing:?}");
    }
}

#[test]
fn requests_in_hand_are_not_cut_off_by_what_messages_may_take() {
    assert!(DRAIN < messages() + GRACE);
}

#[test]
fn a_caller_at_the_gateway_gets_its_answer_though_a_service_stops() {
    let timeout = Duration::from_millis(number_in(
        "services/gateway/src/config.rs",
        "\"GATEWAY_TIMEOUT_MS\", default_value_t = ",
    ));
    assert!(DRAIN >= timeout);
}

#[test]
fn nobody_kills_a_service_before_it_has_ended_by_itself() {
    let compose = seconds_in("docker-compose.yml", "stop_grace_period: ");
    let command = seconds_in(
        "devstack/orderflow/src/process.rs",
        "const DRAIN_LIMIT: Duration = Duration::from_secs(",
    );
    let needed = life() + ROOM;
    assert!(needed <= compose, "{needed:?}, compose gives {compose:?}");
    assert!(
        needed <= command,
        "{needed:?}, the command gives {command:?}"
    );
}
