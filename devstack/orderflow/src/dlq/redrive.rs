//! `orderflow dlq redrive`: letters go back where they came from.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Context as _;
use chrono::Utc;
use otel_messaging::Redriven;

use super::ledger::{Entry, Ledger};
use super::letter::Letter;
use super::place::Place;
use super::servers::{Brokers, REDRIVE};
use super::text::{or_dash, plain};

/// What was done, and what was not, each as a line for people.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) done: Vec<String>,
    pub(super) failed: Vec<anyhow::Error>,
}

pub(super) struct Redrive<'a> {
    pub(super) brokers: &'a Brokers,
    pub(super) ledger: &'a Ledger,
    /// The letters that go back, whether or not they went back before; without any, all that have not yet.
    pub(super) ids: &'a [String],
}

impl Redrive<'_> {
    pub(super) async fn run(self, places: &[&'static Place]) -> anyhow::Result<Report> {
        let known = self.ledger.entries()?;
        let mut report = Report::default();
        let mut found = BTreeSet::new();
        for place in places {
            match self.redrive_from(place, &known, &mut report).await {
                Ok(ids) => found.extend(ids),
                Err(error) => report.failed.push(error),
            }
        }
        let missing = self.ids.iter().filter(|id| !found.contains(*id));
        let missing = missing.map(|id| not_there(id, &known));
        report.failed.extend(missing);
        Ok(report)
    }

    /// Answers with the ids of those that were asked for.
    async fn redrive_from(
        &self,
        place: &'static Place,
        known: &[Entry],
        report: &mut Report,
    ) -> anyhow::Result<Vec<String>> {
        let letters = self.brokers.look(place, REDRIVE).await?;
        let is_wanted = |letter: &&Letter| self.is_wanted(letter, known);
        let (wanted, mut kept): (Vec<_>, Vec<_>) = letters.iter().partition(is_wanted);
        for letter in &wanted {
            match self.send_back(letter).await {
                Ok(line) => report.done.push(line),
                Err(error) => {
                    kept.push(letter);
                    let error = error.context(format!("the letter {}", letter.about.id));
                    report.failed.push(error);
                }
            }
        }
        self.brokers.give_back(place, &kept).await?;
        let ids = wanted.into_iter().map(|letter| letter.about.id.clone());
        Ok(ids.collect())
    }

    fn is_wanted(&self, letter: &Letter, known: &[Entry]) -> bool {
        let id = &letter.about.id;
        if self.ids.is_empty() {
            // Kafka keeps what went back; the others keep it only if it could not be removed.
            return letter.receipt.is_some() || !known.iter().any(|entry| entry.about.id == *id);
        }
        self.ids.contains(id)
    }

    /// First the message is sent, then that is written down, then the letter is removed: dying in between sends twice,
    /// which consumers bear, and loses nothing.
    async fn send_back(&self, letter: &Letter) -> anyhow::Result<String> {
        let place = letter.place;
        if let Some(stranger) = letter.stranger() {
            let (stranger, origin) = (plain(stranger), place.origin);
            anyhow::bail!("it comes from {stranger}, and letters of {place} go back to {origin}");
        }
        let redriven = self.brokers.send_back(place, &letter.read).await?;
        let written = self.ledger.add(&Entry {
            about: letter.about.clone(),
            place: place.name.to_owned(),
            redriven_at: Utc::now(),
            redriven_into: redriven.trace_id.clone(),
            redriven_as: redriven.message_id.clone(),
        });
        let removed = self.brokers.remove(letter).await;
        let into = or_dash(redriven.trace_id.as_ref());
        let sent = format!("it was sent to {} in the trace {into}", place.origin);
        written.with_context(|| sent.clone())?;
        let removed = removed.context(sent)?;
        Ok(line(letter, &redriven, removed))
    }
}

fn line(letter: &Letter, redriven: &Redriven, removed: bool) -> String {
    let (about, place) = (&letter.about, letter.place);
    let trace = match &redriven.trace_id {
        Some(id) => format!("in the new trace {id}"),
        None => "untraced".to_owned(),
    };
    let remains = if removed {
        format!("removed from {place}")
    } else {
        format!("{place} keeps it, marked as redriven")
    };
    let mut line = format!("{}  sent to {} {trace}; {remains}", about.id, place.origin);
    if let Some(what) = letter.read.omitted() {
        let what = plain(what);
        let _ = write!(line, "; without what the letter had no room for: {what}");
    }
    let others = letter.other_groups().join(", ");
    if !others.is_empty() {
        let _ = write!(line, "; {others} reads it too, and does nothing twice");
    }
    if let Some(id) = about.order_id.as_ref().or(redriven.trace_id.as_ref()) {
        let id = plain(id);
        let _ = write!(line, "\n          to follow it: orderflow trace {id}");
    }
    line
}

/// Why there is no such letter, by what is `known` of those that were sent back.
pub(super) fn not_there(name: &str, known: &[Entry]) -> anyhow::Error {
    let when = known.iter().rfind(|entry| entry.about.id == name);
    match when {
        Some(entry) => {
            let into = or_dash(entry.redriven_into.as_ref());
            let place = &entry.place;
            anyhow::anyhow!(
                "the letter {name} is not in {place} any more, it was redriven into the trace {into}"
            )
        }
        None => anyhow::anyhow!("there is no letter {name}: `orderflow dlq list` shows all"),
    }
}
