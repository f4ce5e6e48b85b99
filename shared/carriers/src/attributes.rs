//! What SQS, SNS and Pub/Sub have in common: attributes are a map with few places.

use std::collections::HashMap;
use std::hash::BuildHasher;

use crate::w3c::FIELDS;

/// The value under `key`, else under another spelling of it.
pub(crate) fn find<'a, V, S: BuildHasher>(
    attributes: &'a HashMap<String, V, S>,
    key: &str,
) -> Option<&'a V> {
    attributes.get(key).or_else(|| {
        let spelled_otherwise = attributes
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(key));
        // Several spellings give the same one each time, whatever the order of the map.
        let first = spelled_otherwise.min_by_key(|&(name, _)| name);
        first.map(|(_, value)| value)
    })
}

/// Removes `key` in any spelling; whether it was there.
pub(crate) fn remove<V, S>(attributes: &mut HashMap<String, V, S>, key: &str) -> bool {
    let before = attributes.len();
    attributes.retain(|name, _| !name.eq_ignore_ascii_case(key));
    attributes.len() < before
}

/// Removes the least important of the keys that matter less than `key`; whether there was one.
///
/// Only keys of the W3C propagators make way, and only for each other: the others are the application's.
pub(crate) fn make_way<V, S>(attributes: &mut HashMap<String, V, S>, key: &str) -> bool {
    let rank = FIELDS
        .iter()
        .position(|field| field.eq_ignore_ascii_case(key));
    let lesser = rank.map_or(&[][..], |rank| &FIELDS[rank + 1..]);
    lesser.iter().rev().any(|field| remove(attributes, field))
}
