//! `orderflow dlq show`: everything about one letter.

use super::ledger::Entry;
use super::letter::{About, Letter};
use super::text::{or_dash, payload, plain, time};

/// A letter that lies in its place.
pub(super) fn letter(letter: &Letter, ledger: &[Entry]) -> String {
    let (about, read) = (&letter.about, &letter.read);
    let mut told = vec![
        ("letter", about.id.clone()),
        ("lies in", letter.place.to_string()),
        (
            "comes from",
            plain(read.origin().unwrap_or(letter.place.origin)),
        ),
        ("order", plain(&or_dash(about.order_id.as_ref()))),
    ];
    if let Some([first, last]) = read.given_up() {
        if first != last {
            told.push(("given up first", time(first.into())));
        }
        told.push(("given up", time(last.into())));
    }
    told.extend(letter.arrived.map(|arrived| ("arrived", time(arrived))));
    told.push(("attempts", or_dash(about.attempts)));
    told.push(("reason", plain(read.reason().unwrap_or("none is given"))));
    told.extend(history(about, ledger));
    let key = read.key().map(|key| value(Some(key.as_ref())));
    told.push(("key", key.unwrap_or_else(|| "none".to_owned())));
    let facts = read.facts().map(|(name, value)| (name, plain(value)));
    let own = read.headers().iter();
    let own = own.map(|(name, bytes)| (name, value(bytes.map(AsRef::as_ref))));
    let payload = payload(read.payload().map(AsRef::as_ref));
    let payload: Vec<_> = payload.lines().map(|line| format!("  {line}")).collect();
    format!(
        "{}about it\n{}headers\n{}payload\n{}\n",
        table("", told),
        table("  ", facts),
        table("  ", own),
        payload.join("\n")
    )
}

/// A letter that is gone, as far as it is remembered.
pub(super) fn remembered(entry: &Entry, ledger: &[Entry]) -> String {
    let about = &entry.about;
    let mut told = vec![
        ("letter", about.id.clone()),
        ("lay in", entry.place.clone()),
        ("order", plain(&or_dash(about.order_id.as_ref()))),
        ("given up", or_dash(about.given_up.map(time))),
        ("attempts", or_dash(about.attempts)),
        ("reason", plain(&or_dash(about.reason.as_ref()))),
    ];
    told.extend(history(about, ledger));
    table("", told)
}

/// The trace of a letter, and when it was sent back.
fn history(about: &About, ledger: &[Entry]) -> Vec<(&'static str, String)> {
    let mut told = match &about.trace_id {
        None => vec![("trace", "it was not traced".to_owned())],
        Some(trace_id) => {
            let follow = plain(about.order_id.as_ref().unwrap_or(trace_id));
            vec![
                ("trace", trace_id.to_owned()),
                ("to see it", format!("make trace ARGS={follow}")),
            ]
        }
    };
    let sent_back = ledger.iter().filter(|entry| entry.about.id == about.id);
    told.extend(sent_back.map(|entry| {
        let (at, as_what) = (time(entry.redriven_at), &entry.redriven_as);
        let into = or_dash(entry.redriven_into.as_ref());
        let words = format!("{at} into the trace {into}, as {as_what}");
        ("redriven", words)
    }));
    told
}

fn value(bytes: Option<&[u8]>) -> String {
    match bytes.map(|bytes| (bytes.len(), std::str::from_utf8(bytes))) {
        None => "null".to_owned(),
        Some((_, Ok(text))) => plain(text),
        Some((length, Err(_))) => format!("{length} bytes that are no text"),
    }
}

fn table<'a>(indent: &str, rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let rows = rows.into_iter();
    let rows: Vec<_> = rows.map(|(name, value)| (plain(name), value)).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0);
    let lines = rows.iter();
    let lines = lines.map(|(name, value)| format!("{indent}{name:<width$}  {value}\n"));
    lines.collect()
}
