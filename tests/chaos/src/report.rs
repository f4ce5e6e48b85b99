//! What is printed: a line for each cell as it ends, the details of one that does not balance, and the table.

use std::fmt::Write as _;
use std::time::Duration;

use uuid::Uuid;

use crate::books::{Books, Imbalance};
use crate::ground::Ground;
use crate::part::{Cell, Fault, Part};
use crate::traces;

/// Imbalances that are worth reading; the rest are mostly consequences.
const MAX_SHOWN: usize = 12;
/// Lines of a service's log about one order.
const MAX_LOG_LINES: usize = 20;

/// What became of one cell.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) cell: Cell,
    /// Orders in the database.
    pub(crate) orders: usize,
    /// Customers who know of theirs.
    pub(crate) accepted: usize,
    /// How long after the fault the books balanced.
    pub(crate) after: Duration,
    /// Numbers that are no fault here.
    pub(crate) notes: Vec<(usize, &'static str)>,
    pub(crate) verdict: Verdict,
}

#[derive(Debug)]
pub(crate) enum Verdict {
    Balances,
    Broken {
        /// The first that does not balance, unless it is about none.
        order: Option<Uuid>,
        /// All that is to be said about it.
        details: String,
    },
    NotHere(&'static str),
}

impl Outcome {
    pub(crate) fn not_here(cell: Cell, why: &'static str) -> Self {
        Self::without_orders(cell, Verdict::NotHere(why))
    }

    pub(crate) fn of_error(cell: Cell, error: &anyhow::Error) -> Self {
        let verdict = Verdict::Broken {
            order: None,
            details: format!("  {error:#}\n"),
        };
        Self::without_orders(cell, verdict)
    }

    fn without_orders(cell: Cell, verdict: Verdict) -> Self {
        Self {
            cell,
            orders: 0,
            accepted: 0,
            after: Duration::ZERO,
            notes: Vec::new(),
            verdict,
        }
    }

    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.verdict, Verdict::Broken { .. })
    }

    pub(crate) fn broken_order(&self) -> Option<Uuid> {
        match self.verdict {
            Verdict::Broken { order, .. } => order,
            Verdict::Balances | Verdict::NotHere(_) => None,
        }
    }
}

/// One cell, as soon as it has ended.
pub(crate) fn line(outcome: &Outcome) {
    let name = outcome.cell.to_string();
    if let Verdict::NotHere(why) = outcome.verdict {
        println!("{name:20} not in this mode: {why}");
        return;
    }
    let notes = outcome.notes.iter().filter(|(count, _)| *count > 0);
    let notes: Vec<_> = notes
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let verdict = if outcome.is_broken() {
        "DOES NOT BALANCE"
    } else {
        "balances"
    };
    println!(
        "{name:20} {:3} orders, {:3} answered, quiet after {:5.1} s  {verdict}  {}",
        outcome.orders,
        outcome.accepted,
        outcome.after.as_secs_f64(),
        notes.join(", ")
    );
    if let Verdict::Broken { details, .. } = &outcome.verdict {
        println!("{details}");
    }
}

/// Part × fault, each with the seconds until it was quiet.
pub(crate) fn table(outcomes: &[Outcome]) {
    println!();
    print!("{:12}", "");
    for fault in Fault::ALL {
        print!("{:>12}", fault.name());
    }
    println!();
    for part in Part::ALL {
        let row = Fault::ALL.map(|fault| {
            let cell = Cell::new(part, fault);
            outcomes.iter().find(|outcome| outcome.cell == cell)
        });
        if row.iter().all(Option::is_none) {
            continue;
        }
        print!("{:12}", part.name());
        for outcome in row {
            print!("{:>12}", outcome.map_or_else(String::new, entry));
        }
        println!();
    }
    let orders: usize = outcomes.iter().map(|outcome| outcome.orders).sum();
    let ran = |outcome: &&Outcome| !matches!(outcome.verdict, Verdict::NotHere(_));
    let cells = outcomes.iter().filter(ran).count();
    let broken = outcomes.iter().filter(|it| it.is_broken()).count();
    println!("\n{orders} orders in {cells} cells, {broken} of which do not balance");
}

fn entry(outcome: &Outcome) -> String {
    match outcome.verdict {
        Verdict::Balances => format!("{:.1} s", outcome.after.as_secs_f64()),
        Verdict::Broken { .. } => "BROKEN".to_owned(),
        Verdict::NotHere(_) => "-".to_owned(),
    }
}

/// What does not balance, and all that is known about the first order of it.
pub(crate) async fn details(
    ground: &Ground,
    books: &Books,
    imbalances: &[Imbalance],
    order: Option<Uuid>,
) -> String {
    let mut text = String::new();
    for imbalance in imbalances.iter().take(MAX_SHOWN) {
        writeln!(text, "  {imbalance}").ok();
    }
    if let Some(more @ 1..) = imbalances.len().checked_sub(MAX_SHOWN) {
        writeln!(text, "  and {more} more").ok();
    }
    let Some(id) = order else {
        return text;
    };
    writeln!(text, "\n  what the books say about order {id}:").ok();
    for entry in books.about(id) {
        writeln!(text, "    {entry}").ok();
    }
    for service in Part::SERVICES {
        let lines = ground
            .site
            .services
            .log_lines_with(service, &id.to_string());
        for line in lines.iter().take(MAX_LOG_LINES) {
            writeln!(text, "    {:13} {line}", service.name()).ok();
        }
    }
    if let Some(order) = books.orders.iter().find(|order| order.id == id) {
        let drawing = traces::draw(&ground.jaeger, order).await;
        writeln!(text, "\n{drawing}").ok();
    }
    text
}
