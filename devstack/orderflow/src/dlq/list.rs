//! `orderflow dlq list`: a line for each letter, those that were redriven too.

use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde::Serialize;

use super::ledger::Entry;
use super::letter::{About, Letter};
use super::place::{Broker, Place};
use super::servers::Brokers;
use super::text::{DASH, or_dash, plain, shortened, time};

/// As much of a reason as fits beside the ids.
const REASON: usize = 60;

/// What is said about one letter.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    #[serde(flatten)]
    pub(super) about: About,
    pub(super) broker: Broker,
    pub(super) place: &'static str,
    pub(super) from: &'static str,
    pub(super) consumer_group: Option<String>,
    /// Whether it still lies there; Kafka keeps also those that were redriven.
    pub(super) there: bool,
    /// The last time that it was sent back.
    pub(super) redriven: Option<SentBack>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct SentBack {
    pub(super) at: DateTime<Utc>,
    pub(super) trace_id: Option<String>,
}

impl Row {
    /// Without a letter, it is only remembered.
    fn new(place: &'static Place, about: About, letter: Option<&Letter>, ledger: &[Entry]) -> Self {
        let sent_back = ledger.iter().rfind(|entry| entry.about.id == about.id);
        let group = letter.and_then(|letter| letter.read.consumer_group());
        Self {
            about,
            broker: place.broker,
            place: place.name,
            from: place.origin,
            consumer_group: group.map(str::to_owned),
            there: letter.is_some(),
            redriven: sent_back.map(|entry| SentBack {
                at: entry.redriven_at,
                trace_id: entry.redriven_into.clone(),
            }),
        }
    }

    fn line(&self) -> String {
        let state = match &self.redriven {
            None => "waiting".to_owned(),
            Some(SentBack { at, trace_id }) => {
                format!("redriven {} into {}", time(*at), or_dash(trace_id.as_ref()))
            }
        };
        let about = &self.about;
        let reason = about.reason.as_deref().unwrap_or("no reason is given");
        let group = self.consumer_group.as_deref();
        let group = group.map_or_else(String::new, |group| format!("{}: ", plain(group)));
        format!(
            "  {}  {}  order {}  tried {}  trace {}  {state}  {}",
            about.id,
            about.given_up.map_or_else(|| DASH.to_owned(), time),
            shortened(about.order_id.as_deref().unwrap_or(DASH), 36),
            or_dash(about.attempts),
            or_dash(about.trace_id.as_ref()),
            shortened(&format!("{group}{reason}"), REASON),
        )
    }
}

/// One place: its letters, the oldest first, or why they could not be looked at.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) place: &'static Place,
    pub(super) rows: anyhow::Result<Vec<Row>>,
}

/// Looks into all places side by side, and leaves them as they were.
pub(super) async fn look(
    brokers: &Brokers,
    places: &[&'static Place],
    ledger: &[Entry],
) -> Vec<Shelf> {
    let shelves = places.iter().map(async |place| {
        let rows = rows(brokers, place, ledger).await;
        Shelf { place, rows }
    });
    join_all(shelves).await
}

async fn rows(
    brokers: &Brokers,
    place: &'static Place,
    ledger: &[Entry],
) -> anyhow::Result<Vec<Row>> {
    let letters = brokers.glance(place).await?.into_iter();
    let mut rows: Vec<_> = letters
        .map(|letter| Row::new(place, letter.about.clone(), Some(&letter), ledger))
        .collect();
    // The last time counts, as it does for letters that are still there.
    let gone = ledger
        .iter()
        .rev()
        .filter(|entry| entry.place == place.name);
    for Entry { about, .. } in gone {
        if !rows.iter().any(|row| row.about.id == about.id) {
            rows.push(Row::new(place, about.clone(), None, ledger));
        }
    }
    rows.sort_by_cached_key(|row| (row.about.given_up, row.about.id.clone()));
    Ok(rows)
}

/// For people. What could not be looked at is no part of it.
pub(super) fn render(shelves: &[Shelf]) -> String {
    let told = shelves.iter().filter_map(|shelf| {
        let rows = shelf.rows.as_ref().ok()?;
        let lines: Vec<_> = rows.iter().map(|row| format!("\n{}", row.line())).collect();
        Some(format!(
            "{}: {}{}\n",
            shelf.place,
            summary(rows),
            lines.concat()
        ))
    });
    told.collect()
}

fn summary(rows: &[Row]) -> String {
    let redriven = rows.iter().filter(|row| row.redriven.is_some()).count();
    match (rows.len() - redriven, redriven) {
        (0, 0) => "empty".to_owned(),
        (waiting, 0) => format!("{waiting} waiting"),
        (waiting, redriven) => format!("{waiting} waiting, {redriven} redriven"),
    }
}
