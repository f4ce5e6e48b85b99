//! <https://www.w3.org/TR/trace-context-2/#tracestate-header>

use opentelemetry::trace::TraceState;

pub(crate) const TRACESTATE: &str = "tracestate";

const MAX_MEMBERS: usize = 32;
/// What a reader is expected to take, commas included.
const MAX_LENGTH: usize = 512;
/// Members that are longer go first where there is no room for all.
const LONG: usize = 128;
/// A key, and the parts of one that names a tenant and a system, `tenant@system`.
const MAX_KEY: usize = 256;
const MAX_TENANT: usize = 241;
const MAX_SYSTEM: usize = 14;
const MAX_VALUE: usize = 256;

/// The members of all lists in their order, or `None` if one of them is not as the specification says: which of the
/// others could be believed is not known then.
pub(crate) fn parse(lists: &[&str]) -> Option<TraceState> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    for member in lists.iter().flat_map(|list| list.split(',')) {
        let member = member.trim_matches([' ', '\t']);
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        let is_new = members.iter().all(|&(other, _)| other != key);
        if !is_key(key) || !is_value(value) || !is_new || members.len() == MAX_MEMBERS {
            return None;
        }
        members.push((key, value));
    }
    let state = TraceState::from_key_value(members.iter().copied());
    state.ok().or_else(|| without_refused(members))
}

/// The API refuses a system of 14 characters, which the specification allows: that member is left out alone.
fn without_refused(mut members: Vec<(&str, &str)>) -> Option<TraceState> {
    members.retain(|member| TraceState::from_key_value([*member]).is_ok());
    TraceState::from_key_value(members).ok()
}

/// Level 2 allows any number of `@` anywhere but at the beginning; W3C's tests want those of level 1, and so does the API.
fn is_key(key: &str) -> bool {
    let is_part = |part: &str, max| {
        let allowed = |b: u8| is_alphanumeric(b) || b"_-*/".contains(&b);
        (1..=max).contains(&part.len())
            && part.bytes().all(allowed)
            && part.bytes().next().is_some_and(is_alphanumeric)
    };
    match key.split_once('@') {
        Some((tenant, system)) => is_part(tenant, MAX_TENANT) && is_part(system, MAX_SYSTEM),
        None => is_part(key, MAX_KEY),
    }
}

fn is_alphanumeric(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

/// Printable characters but `,` and `=`; spaces at the end are gone already, those at the beginning belong to it.
fn is_value(value: &str) -> bool {
    (1..=MAX_VALUE).contains(&value.len())
        && value
            .bytes()
            .all(|b| matches!(b, b' '..=b'~') && b != b',' && b != b'=')
}

/// `state` as it is sent, without the members for which there is no room.
/// <https://www.w3.org/TR/trace-context-2/#tracestate-limits>
pub(crate) fn header(state: &TraceState) -> String {
    let header = state.header();
    if header.len() <= MAX_LENGTH {
        return header;
    }
    let mut members: Vec<_> = header.split(',').collect();
    while length(&members) > MAX_LENGTH {
        let long = members.iter().rposition(|member| member.len() > LONG);
        members.remove(long.unwrap_or(members.len() - 1));
    }
    members.join(",")
}

fn length(members: &[&str]) -> usize {
    let commas = members.len().saturating_sub(1);
    members.iter().map(|member| member.len()).sum::<usize>() + commas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(members: &[(&str, usize)]) -> TraceState {
        let members = members
            .iter()
            .map(|&(key, length)| (key, "v".repeat(length)));
        TraceState::from_key_value(members).unwrap()
    }

    fn keys(header: &str) -> Vec<&str> {
        let members = header
            .split(',')
            .filter_map(|member| member.split_once('='));
        members.map(|(key, _)| key).collect()
    }

    #[test]
    fn sends_up_to_512_characters() {
        let whole = state(&[("a", 254), ("b", 253)]);
        assert_eq!(header(&whole).len(), MAX_LENGTH);
        let too_much = state(&[("a", 254), ("b", 254)]);
        assert_eq!(keys(&header(&too_much)), ["a"]);
    }

    #[test]
    fn leaves_out_long_members_first_and_then_the_last() {
        let long_first = state(&[("long", 200), ("a", 120), ("b", 120), ("c", 100)]);
        assert_eq!(keys(&header(&long_first)), ["a", "b", "c"]);
        let one_of_two = state(&[("long", 200), ("longer", 250), ("a", 120)]);
        assert_eq!(keys(&header(&one_of_two)), ["long", "a"]);
        let short = state(&[("a", 120), ("b", 120), ("c", 120), ("d", 120), ("e", 120)]);
        assert_eq!(keys(&header(&short)), ["a", "b", "c", "d"]);
        assert_eq!(header(&state(&[(&"k".repeat(256), 256)])), "");
    }

    #[test]
    fn keeps_spaces_at_the_beginning_of_a_value() {
        let state = parse(&["a= 1 ,\tb=  x y\t", "", " , ", "c=3"]).unwrap();
        assert_eq!(state.header(), "a= 1,b=  x y,c=3");
    }
}
