//! `orderflow dlq show`: everything about one letter.

use super::ledger::Entry;
use super::letter::{Letter, utc};
use super::text::{or_dash, payload, plain, time};

/// A letter that lies in its place.
pub(super) fn letter(letter: &Letter, ledger: &[Entry]) -> String {
    let read = &letter.read;
    let mut told = vec![
        ("letter", letter.id.clone()),
        ("lies in", letter.place.to_string()),
        (
            "comes from",
            plain(read.origin().unwrap_or(letter.place.origin)),
        ),
        ("order", plain(&or_dash(letter.order_id()))),
    ];
    if let Some([first, last]) = read.given_up() {
        if first != last {
            told.push(("given up first", time(utc(first))));
        }
        told.push(("given up", time(utc(last))));
    }
    if let Some(arrived) = letter.arrived {
        told.push(("arrived", time(arrived)));
    }
    told.push(("attempts", or_dash(read.attempts())));
    told.push(("reason", plain(read.reason().unwrap_or("none is given"))));
    told.extend(traces(letter.order_id().as_deref(), read.trace_id()));
    told.extend(history(&letter.id, ledger));
    told.push(("key", key(letter)));
    let facts = read.facts().map(|(name, value)| (name, plain(value)));
    let own = read.headers().iter();
    let own = own.map(|(name, value)| (name, header(value.map(AsRef::as_ref))));
    format!(
        "{}about it\n{}headers\n{}payload\n{}\n",
        table("", told),
        table("  ", facts),
        table("  ", own),
        indented(&payload(read.payload().map(AsRef::as_ref)))
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
    told.extend(traces(about.order_id.as_deref(), about.trace_id.as_deref()));
    told.extend(history(&about.id, ledger));
    table("", told)
}

fn traces(order_id: Option<&str>, trace_id: Option<&str>) -> Vec<(&'static str, String)> {
    let Some(trace_id) = trace_id else {
        return vec![("trace", "it was not traced".to_owned())];
    };
    let follow = plain(order_id.unwrap_or(trace_id));
    vec![
        ("trace", trace_id.to_owned()),
        ("to see it", format!("make trace ARGS={follow}")),
    ]
}

fn history(id: &str, ledger: &[Entry]) -> Vec<(&'static str, String)> {
    let sent_back = ledger.iter().filter(|entry| entry.about.id == id);
    let lines = sent_back.map(|entry| {
        let (at, into) = (
            time(entry.redriven_at),
            or_dash(entry.redriven_into.as_ref()),
        );
        let as_what = &entry.redriven_as;
        (
            "redriven",
            format!("{at} into the trace {into}, as {as_what}"),
        )
    });
    lines.collect()
}

fn key(letter: &Letter) -> String {
    let key = letter.read.key().map(AsRef::as_ref);
    key.map_or_else(|| "none".to_owned(), |key| header(Some(key)))
}

fn header(value: Option<&[u8]>) -> String {
    match value.map(std::str::from_utf8) {
        None => "null".to_owned(),
        Some(Ok(text)) => plain(text),
        Some(Err(_)) => format!("{} bytes that are no text", value.unwrap_or_default().len()),
    }
}

fn table<'a>(indent: &str, rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(name, value)| (plain(name), value))
        .collect();
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let lines = rows.iter();
    let lines = lines.map(|(name, value)| format!("{indent}{name:<width$}  {value}\n"));
    lines.collect::<Vec<_>>().concat()
}

fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}
