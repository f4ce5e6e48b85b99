//! `orderflow dlq redrive`: letters go back where they came from.

use std::collections::BTreeSet;

use anyhow::Context as _;
use chrono::Utc;
use otel_messaging::Redriven;

use super::ledger::{Entry, Ledger};
use super::letter::Letter;
use super::place::Place;
use super::servers::{Brokers, REDRIVE};
use super::text::{or_dash, plain};

/// Which letters are to go back.
#[derive(Debug)]
pub(super) enum Wanted {
    /// All that have not gone back yet.
    Waiting,
    /// Those of these ids, whether or not they went back before.
    Named(Vec<String>),
}

/// What was done, and what was not, each as a line for people.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) done: Vec<String>,
    pub(super) failed: Vec<anyhow::Error>,
}

pub(super) struct Redrive<'a> {
    pub(super) brokers: &'a Brokers,
    pub(super) ledger: &'a Ledger,
    pub(super) wanted: Wanted,
}

impl Redrive<'_> {
    pub(super) async fn run(self, places: &[&'static Place]) -> anyhow::Result<Report> {
        let known = self.ledger.entries()?;
        let mut report = Report::default();
        let mut found = BTreeSet::new();
        for place in places {
            match self.redrive_from(place, &known, &mut report).await {
                Ok(names) => found.extend(names),
                Err(error) => report.failed.push(error),
            }
        }
        if let Wanted::Named(names) = &self.wanted {
            let missing = names.iter().filter(|name| !found.contains(*name));
            report
                .failed
                .extend(missing.map(|name| not_there(name, &known)));
        }
        Ok(report)
    }

    /// Answers with the names of those that it found.
    async fn redrive_from(
        &self,
        place: &'static Place,
        known: &[Entry],
        report: &mut Report,
    ) -> anyhow::Result<Vec<String>> {
        let letters = self.brokers.look(place, REDRIVE).await?;
        let (mut found, mut kept) = (Vec::new(), Vec::new());
        for letter in &letters {
            match self.name_of(letter, known) {
                None => kept.push(letter),
                Some(name) => {
                    found.push(name);
                    match self.send_back(letter).await {
                        Ok(line) => report.done.push(line),
                        Err(error) => {
                            kept.push(letter);
                            report
                                .failed
                                .push(error.context(format!("the letter {}", letter.id)));
                        }
                    }
                }
            }
        }
        self.brokers.give_back(place, &kept).await?;
        Ok(found)
    }

    /// By what the letter was asked for, if it was.
    fn name_of(&self, letter: &Letter, known: &[Entry]) -> Option<String> {
        match &self.wanted {
            // Kafka keeps what went back; the others keep it only if it could not be removed.
            Wanted::Waiting => {
                let went_back = known.iter().any(|entry| entry.about.id == letter.id);
                (letter.receipt.is_some() || !went_back).then(|| letter.id.clone())
            }
            Wanted::Named(names) => names.iter().find(|name| **name == letter.id).cloned(),
        }
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
            about: letter.about(),
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
    let place = letter.place;
    let trace = match &redriven.trace_id {
        Some(id) => format!("in the new trace {id}"),
        None => "untraced".to_owned(),
    };
    let remains = if removed {
        format!("removed from {place}")
    } else {
        format!("{place} keeps it, marked as redriven")
    };
    let omitted = match letter.read.omitted() {
        Some(what) => format!("; without what the letter had no room for: {}", plain(what)),
        None => String::new(),
    };
    let others = letter.other_groups();
    let others = if others.is_empty() {
        String::new()
    } else {
        format!(
            "; {} reads it too, and does nothing twice",
            others.join(", ")
        )
    };
    let follow = letter.order_id().or_else(|| redriven.trace_id.clone());
    let follow = match follow {
        Some(id) => format!("\n          to follow it: orderflow trace {}", plain(&id)),
        None => String::new(),
    };
    let (id, origin) = (&letter.id, place.origin);
    format!("{id}  sent to {origin} {trace}; {remains}{omitted}{others}{follow}")
}

fn not_there(name: &str, known: &[Entry]) -> anyhow::Error {
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
