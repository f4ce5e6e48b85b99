//! One dead letter, as it was found in its place.

use std::hash::Hasher as _;

use chrono::{DateTime, Utc};
use fnv::FnvHasher;
use otel_messaging::DeadLetter;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::place::Place;

/// What is told of a letter, whether or not it still lies in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) id: String,
    pub(super) order_id: Option<String>,
    pub(super) given_up: Option<DateTime<Utc>>,
    pub(super) attempts: Option<u32>,
    pub(super) reason: Option<String>,
    /// The trace that it was given up in.
    pub(super) trace_id: Option<String>,
}

/// A letter in its place.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) about: About,
    pub(super) place: &'static Place,
    /// When it arrived there, by the broker's clock.
    pub(super) arrived: Option<DateTime<Utc>>,
    pub(super) read: DeadLetter,
    /// By what the broker knows that this letter is in our hands; Kafka hands nothing out.
    pub(super) receipt: Option<String>,
}

impl Letter {
    /// `message_id` is the broker's.
    pub(super) fn new(
        place: &'static Place,
        message_id: &str,
        arrived: Option<DateTime<Utc>>,
        read: DeadLetter,
        receipt: Option<String>,
    ) -> Self {
        let given_up = read.given_up().map(|[_, last]| last.into());
        let about = About {
            id: id(place, message_id, arrived),
            order_id: order_id(&read),
            // A letter that the broker has moved does not say when.
            given_up: given_up.or(arrived),
            attempts: read.attempts(),
            reason: read.reason().map(str::to_owned),
            trace_id: read.trace_id().map(str::to_owned),
        };
        Self {
            about,
            place,
            arrived,
            read,
            receipt,
        }
    }

    /// Why it cannot go back to where letters of its place come from.
    pub(super) fn stranger(&self) -> Option<&str> {
        let origin = self.read.origin()?;
        (origin != self.place.origin).then_some(origin)
    }

    /// The groups that will read it beside the one that gave it up.
    pub(super) fn other_groups(&self) -> Vec<&'static str> {
        let group = self.read.consumer_group();
        let groups = self.place.groups.iter().copied();
        groups
            .filter(|other| group.is_some_and(|group| group != *other))
            .collect()
    }
}

/// Short, and the same each time that the letter is looked at. A broker that has lost its memory may give the id of a
/// message again: the time tells them apart.
fn id(place: &Place, message_id: &str, arrived: Option<DateTime<Utc>>) -> String {
    let mut hasher = FnvHasher::default();
    for part in [place.name, message_id] {
        hasher.write(part.as_bytes());
        hasher.write_u8(0);
    }
    hasher.write_i64(arrived.map_or(0, |time| time.timestamp_millis()));
    let hash = hasher.finish();
    // Both halves, since the hash of a counter differs little in one of them.
    format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}

/// The order that it is about: from the payload, or where that is garbage from what came with it.
fn order_id(read: &DeadLetter) -> Option<String> {
    let payload = read.payload();
    let payload = payload.and_then(|payload| serde_json::from_slice::<Value>(payload).ok());
    let named = payload.and_then(|payload| Some(payload.get("order_id")?.as_str()?.to_owned()));
    let key = || String::from_utf8(read.key()?.to_vec()).ok();
    named
        .or_else(|| read.baggage("order.id").map(str::to_owned))
        .or_else(key)
}

#[cfg(test)]
mod tests {
    use otel_messaging::Headers;

    use super::super::place::PLACES;
    use super::*;

    fn letter(place: usize, key: Option<&str>, payload: &str, headers: &[(&str, &str)]) -> Letter {
        let owned = |text: &str| text.to_owned().into();
        let headers = headers.iter();
        let headers: Headers = headers
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let read = DeadLetter::read(key.map(owned), Some(owned(payload)), &headers);
        Letter::new(&PLACES[place], "topic/0/1", None, read, None)
    }

    #[test]
    fn the_order_is_named_by_the_payload_or_else_by_the_key() {
        let order = |key, payload| letter(0, key, payload, &[]).about.order_id;
        assert_eq!(
            order(Some("b"), r#"{"order_id":"a"}"#).as_deref(),
            Some("a")
        );
        assert_eq!(order(Some("b"), "garbage").as_deref(), Some("b"));
        assert_eq!(order(None, r#"{"order_id":7}"#), None);
    }

    #[test]
    fn a_place_that_two_groups_share_tells_who_else_reads_what_goes_back() {
        let groups =
            |name| letter(3, None, "{}", &[("dead-letter-consumer-group", name)]).other_groups();
        assert_eq!(groups("email"), ["inventory"]);
        assert_eq!(groups("inventory"), ["email"]);
        assert!(letter(3, None, "{}", &[]).other_groups().is_empty());
    }

    #[test]
    fn a_letter_of_another_origin_is_a_stranger() {
        let of = |topic| {
            letter(0, None, "{}", &[("dead-letter-topic", topic)])
                .stranger()
                .map(str::to_owned)
        };
        assert_eq!(of("order.created"), None);
        assert_eq!(of("payments").as_deref(), Some("payments"));
    }

    #[test]
    fn an_id_that_the_broker_gives_again_is_another_letter() {
        let at = |millis| {
            let read = DeadLetter::read(None, None, &Headers::new());
            let arrived = DateTime::from_timestamp_millis(millis);
            Letter::new(&PLACES[0], "order.created.dlt/0/0", arrived, read, None)
                .about
                .id
        };
        assert_eq!(at(1), at(1));
        assert_ne!(at(1), at(2));
        assert_eq!(at(1).len(), 8);
    }
}
