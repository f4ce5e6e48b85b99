//! The settings of the command, and its `--help`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::load::Load;
use crate::part::{Cell, Fault, Part};

/// What the resending of orders waits for here: what a broker forgot is to be mended while somebody watches.
const RESEND_AFTER: (&str, &str) = ("ORDERS_RESEND_AFTER_SECONDS", "10");

/// The one that decides, a broker, the database and the log.
const SHORT: [Cell; 4] = [
    Cell::new(Part::Orders, Fault::Kill),
    Cell::new(Part::Pubsub, Fault::Freeze),
    Cell::new(Part::Postgres, Fault::Cut),
    Cell::new(Part::Kafka, Fault::Freeze),
];

/// Disturbs each part in each way while customers order, and then counts whether the books balance.
#[derive(Debug, Clone, Parser)]
pub struct Args {
    /// Only these parts.
    #[arg(long, value_enum)]
    pub part: Vec<Part>,
    /// Only these faults.
    #[arg(long, value_enum)]
    pub fault: Vec<Fault>,
    /// Only the few cells that tell most, as the tests run them.
    #[arg(long, conflicts_with_all = ["part", "fault"])]
    pub short: bool,
    /// Print the cells, and do nothing.
    #[arg(long)]
    pub list: bool,
    /// Decides what is ordered and who hangs up when; random unless given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Orders in each cell.
    #[arg(long, default_value_t = 40)]
    pub orders: usize,
    /// Orders per second; the mock cluster bears about 15.
    #[arg(long, default_value_t = 10)]
    pub rate: u32,
    /// How many seconds the books may take to balance after the fault.
    #[arg(long, value_name = "SECONDS", default_value_t = 240)]
    pub patience: u64,
    /// A setting of the services, for example one that takes a mend out.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// Keep what the services say in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub logs: Option<PathBuf>,
}

impl Args {
    /// The cells that were asked for.
    pub fn cells(&self) -> Vec<Cell> {
        if self.short {
            return SHORT.to_vec();
        }
        let mut cells = Cell::all();
        cells.retain(|cell| {
            let part = self.part.is_empty() || self.part.contains(&cell.part);
            part && (self.fault.is_empty() || self.fault.contains(&cell.fault))
        });
        cells
    }

    pub(crate) fn load(&self) -> Load {
        Load {
            orders: self.orders,
            per_second: self.rate.max(1),
        }
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }

    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let (name, value) = RESEND_AFTER;
        let ours = [(name.to_owned(), value.to_owned())];
        ours.into_iter().chain(self.set.iter().cloned()).collect()
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
