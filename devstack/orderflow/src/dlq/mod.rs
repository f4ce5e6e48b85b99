//! `orderflow dlq`: the dead letters of all three brokers, looked at, and sent back where they came from.

mod kafka;
mod ledger;
mod letter;
mod list;
mod place;
mod pubsub;
mod redrive;
mod servers;
mod show;
mod sqs;
#[cfg(test)]
mod tests;
mod text;
mod traced;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use self::ledger::{Entry, Ledger};
use self::list::Shelf;
use self::place::{PLACES, chosen};
use self::redrive::{Redrive, Report};
use self::servers::{Addresses, Brokers};
use self::traced::Tracing;
use crate::control::Run;
use crate::screen::ERROR;

#[derive(Debug, Args)]
pub(crate) struct DlqArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the dead letters, a line for each, and which of them were redriven, when and into which trace.
    ///
    /// Looking changes nothing. Exit code 1 if a broker could not be asked; the others are listed.
    List {
        /// Only letters of this place, or of all places of this broker; can be repeated.
        #[arg(long, value_name = "PLACE", value_parser = PossibleValuesParser::new(place::names()))]
        from: Vec<String>,
        /// Print JSON: an array with an object for each letter.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        addresses: Addresses,
    },
    /// Show one letter: why it was given up, where it comes from, its headers and its payload.
    Show {
        /// As `list` prints it.
        id: String,
        #[command(flatten)]
        addresses: Addresses,
    },
    /// Send letters back where they came from, in new traces that are linked to the old ones.
    ///
    /// The message is sent with its payload, key and headers; then the letter is removed. Kafka removes nothing: there it
    /// is marked, and `--all` passes over it. A topic with several groups delivers it to all of them.
    /// To send one twice is harmless. Exit code 1 if anything could not be done.
    Redrive {
        /// As `list` prints them.
        #[arg(required_unless_present = "all", value_name = "ID")]
        ids: Vec<String>,
        /// All letters that were not redriven yet.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Only letters of this place, or of all places of this broker; can be repeated.
        #[arg(long, value_name = "PLACE", value_parser = PossibleValuesParser::new(place::names()))]
        from: Vec<String>,
        #[command(flatten)]
        addresses: Addresses,
        #[command(flatten)]
        tracing: Tracing,
    },
}

pub(crate) async fn run(dir: &Path, args: DlqArgs) -> anyhow::Result<ExitCode> {
    let (running, ledger) = (Run::ready(dir)?, Ledger::of(dir));
    let running = running.as_ref().map(|(_, addresses)| addresses);
    match args.command {
        Command::List {
            from,
            json,
            addresses,
        } => {
            let brokers = addresses.connect(running)?;
            let shelves = list::look(&brokers, &chosen(&from), &ledger.entries()?).await;
            tell(&listed(&shelves, json)?)?;
            let failed = shelves.into_iter().filter_map(|shelf| shelf.rows.err());
            Ok(complain(failed))
        }
        Command::Show { id, addresses } => {
            let brokers = addresses.connect(running)?;
            show(&brokers, &ledger.entries()?, &id).await
        }
        Command::Redrive {
            ids,
            all: _,
            from,
            addresses,
            tracing,
        } => {
            let telemetry = tracing.start(running)?;
            let (brokers, ledger) = (&addresses.connect(running)?, &ledger);
            let redrive = Redrive {
                brokers,
                ledger,
                ids: &ids,
            };
            let report = redrive.run(&chosen(&from)).await;
            // Also after an error: what was sent before it is to be seen.
            telemetry.stop().await;
            told(report?)
        }
    }
}

fn listed(shelves: &[Shelf], json: bool) -> anyhow::Result<String> {
    if !json {
        return Ok(list::render(shelves));
    }
    let rows = shelves.iter().filter_map(|shelf| shelf.rows.as_ref().ok());
    let rows: Vec<_> = rows.flatten().collect();
    Ok(format!("{}\n", serde_json::to_string_pretty(&rows)?))
}

async fn show(brokers: &Brokers, ledger: &[Entry], id: &str) -> anyhow::Result<ExitCode> {
    let mut failed = Vec::new();
    for place in &PLACES {
        let letters = brokers.glance(place).await;
        let letters = letters.unwrap_or_else(|error| {
            failed.push(error);
            Vec::new()
        });
        if let Some(found) = letters.iter().find(|letter| letter.about.id == id) {
            tell(&show::letter(found, ledger))?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    if let Some(entry) = ledger.iter().rfind(|entry| entry.about.id == id) {
        tell(&show::remembered(entry, ledger))?;
        return Ok(ExitCode::SUCCESS);
    }
    failed.push(redrive::not_there(id, ledger));
    Ok(complain(failed))
}

fn told(report: Report) -> anyhow::Result<ExitCode> {
    for line in &report.done {
        tell(&format!("{line}\n"))?;
    }
    if report.done.is_empty() && report.failed.is_empty() {
        tell("no letter is waiting\n")?;
    }
    Ok(complain(report.failed))
}

fn tell(text: &str) -> anyhow::Result<()> {
    Ok(anstream::stdout().write_all(text.as_bytes())?)
}

/// The exit code that follows from what could not be done. Two places of one broker have the same to say.
fn complain(failed: impl IntoIterator<Item = anyhow::Error>) -> ExitCode {
    let mut told = BTreeSet::new();
    for error in failed {
        let message = format!("{error:#}");
        if !told.contains(&message) {
            anstream::eprintln!("{ERROR}error:{ERROR:#} {message}");
            told.insert(message);
        }
    }
    ExitCode::from(u8::from(!told.is_empty()))
}
