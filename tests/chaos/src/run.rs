//! Runs the cells one after the other.

use anyhow::{bail, ensure};
use stack::Servers;
use tokio::time::sleep;
use uuid::Uuid;

use crate::args::Args;
use crate::books::Imbalance;
use crate::fault::disturb;
use crate::ground::{Ground, Quiet};
use crate::load;
use crate::part::{Cell, Part};
use crate::report::{self, Outcome, Verdict};
use crate::traces;

/// What became of all cells.
#[derive(Debug)]
pub struct Report {
    outcomes: Vec<Outcome>,
}

impl Report {
    /// Whether nothing is wrong in any cell.
    pub fn balances(&self) -> bool {
        !self.outcomes.iter().any(Outcome::is_broken)
    }

    /// The first order that does not balance.
    pub fn first_broken_order(&self) -> Option<Uuid> {
        self.outcomes.iter().find_map(Outcome::broken_order)
    }
}

/// Runs the cells that `args` ask for, on the servers that the variable `STACK` names, and prints the table.
///
/// A cell that does not balance is told about at once, and the next one has a new ground.
pub async fn run(args: &Args) -> anyhow::Result<Report> {
    let cells = args.cells();
    ensure!(!cells.is_empty(), "there is no such cell: see --list");
    let servers = Servers::of_this_run()?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("{} cells, servers: {servers:?}, --seed {seed}", cells.len());
    let mut ground = None;
    let mut outcomes = Vec::new();
    for (number, cell) in cells.into_iter().enumerate() {
        let mut here = match ground.take() {
            Some(ground) => ground,
            None => Ground::prepare(servers, args).await?,
        };
        // Of its own, so that a cell is the same when it runs alone.
        let mut random = fastrand::Rng::with_seed(seed);
        let outcome = run_cell(&mut here, cell, number, args, &mut random).await;
        let outcome = outcome.unwrap_or_else(|error| Outcome::of_error(cell, &error));
        report::line(&outcome);
        if outcome.is_broken() || here.site.is_spoilt_by(cell)? {
            here.end().await?;
        } else {
            ground = Some(here);
        }
        outcomes.push(outcome);
    }
    if let Some(ground) = ground {
        ground.end().await?;
    }
    report::table(&outcomes);
    Ok(Report { outcomes })
}

async fn run_cell(
    ground: &mut Ground,
    cell: Cell,
    number: usize,
    args: &Args,
    random: &mut fastrand::Rng,
) -> anyhow::Result<Outcome> {
    if let Some(why) = ground.site.impossible(cell)? {
        return Ok(Outcome::not_here(cell, why));
    }
    ground.begin_cell().await?;
    let prefix = format!("chaos-{number}-");
    let gateway = ground.site.services.url(Part::Gateway)?;
    let orders = ground.site.services.url(Part::Orders)?;
    let deciding = load::person::decide(&orders, &prefix, random.fork());
    let disturbing = async {
        // In the middle of the orders.
        sleep(args.load().lasts() / 4).await;
        disturb(&mut ground.site, &ground.brokers, cell).await
    };
    let loading = load::run(args.load(), &gateway, &prefix, random);
    let both = async { tokio::try_join!(loading, disturbing) };
    let (asked, complaints) = tokio::select! {
        both = both => both?,
        ended = deciding => bail!("the person went away: {ended:?}"),
    };
    let quiet = ground.wait_until_quiet(cell.may_mail_twice(), &prefix, asked, args.patience());
    let mut quiet = quiet.await?;
    let complaints = complaints.into_iter().map(Imbalance::general);
    quiet.imbalances.extend(complaints);
    judge(ground, cell, quiet).await
}

/// Adds what the traces say to what the books say.
async fn judge(ground: &Ground, cell: Cell, quiet: Quiet) -> anyhow::Result<Outcome> {
    let Quiet {
        books,
        mut imbalances,
        after,
    } = quiet;
    let mut notes = Vec::new();
    if imbalances.is_empty() {
        let traces = traces::judge(&ground.jaeger, cell, &books).await;
        if cell.may_lose_spans() {
            notes.push((traces.broken.len(), "traces lack spans"));
        } else {
            let broken = traces.broken.iter();
            imbalances.extend(broken.map(|(order, why)| Imbalance {
                order: Some(*order),
                problem: format!("its trace is not whole: {why}"),
            }));
        }
        notes.push((traces.told_once, "traces tell a message again"));
    }
    notes.push((books.resent(), "events sent again"));
    notes.push((books.doubled_mails(), "mails twice"));
    let verdict = if imbalances.is_empty() {
        Verdict::Balances
    } else {
        let order = imbalances.iter().find_map(|imbalance| imbalance.order);
        let details = report::details(ground, &books, &imbalances, order).await;
        Verdict::Broken { order, details }
    };
    Ok(Outcome {
        cell,
        orders: books.orders.len(),
        accepted: books.accepted(),
        after,
        notes,
        verdict,
    })
}
