//! `orderflow traffic`: orders as customers would place them, each followed to its end.

mod mailbox;
pub(crate) mod orders;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod wholeness;

use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use domain::NewOrder;
use futures::StreamExt as _;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use tokio::time::Instant;

use crate::answers::{Services, fault_notice};
use crate::control::Run;
use crate::gateway::{Gateway, Order};
use crate::targets::{Targets, Urls};
use crate::tree;
use mailbox::Mails;
use report::Report;
use run::{Outcome, Pace};
use wholeness::Checker;

/// Up to here, every trace is looked at unless the user says otherwise; it takes some milliseconds each.
const CHECKED_BY_DEFAULT: usize = 1000;

/// A mail follows the change of status, and is retried when the mail server is away: for so long none may come.
const MAIL_PATIENCE: Duration = Duration::from_secs(20);

/// The same where it is known that the email service does not run, or stands still.
const NO_MAIL_PATIENCE: Duration = Duration::from_secs(2);

const ORDERS_BAR: &str = "{bar:40.green/dim} {pos}/{len} orders ended  {elapsed:.dim}";
const TRACES_BAR: &str = "{spinner} looking at traces {pos}/{len}  {elapsed:.dim}";
const MAILS_BAR: &str = "{spinner} waiting for mails {pos}/{len}  {elapsed:.dim}";

/// The service that sends them.
const EMAIL: &str = "email";

/// How many orders that have not ended are looked for.
const OPEN_EXPLAINED: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct TrafficArgs {
    /// How many orders to place.
    #[arg(long, default_value_t = 20, value_name = "N")]
    orders: usize,
    #[command(flatten)]
    pace: Pace,
    /// The same seed gives the same orders.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Look whether every trace is whole [default: up to 1000 orders].
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    check: Option<bool>,
    #[command(flatten)]
    targets: Targets,
}

pub(crate) async fn run(dir: &Path, args: TrafficArgs) -> anyhow::Result<ExitCode> {
    let check = args.check.unwrap_or(args.orders <= CHECKED_BY_DEFAULT);
    let urls = args.targets.resolve(dir)?;
    let orders = realistic(args.orders, args.seed);
    let mut says = anstream::stderr();
    writeln!(says, "orders go to {}, {}", urls.gateway, urls.why)?;
    Gateway::new(&urls.gateway)?.is_there().await?;
    for notice in notices(Services::of(dir, &urls.gateway).as_ref()) {
        writeln!(says, "{notice}")?;
    }
    let report = send_and_check(dir, &urls, orders, args.pace, check).await?;
    write!(anstream::stdout(), "\n{}", report.render())?;
    Ok(ExitCode::from(u8::from(!report.is_good())))
}

fn realistic(count: usize, seed: u64) -> impl ExactSizeIterator<Item = NewOrder> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(move |_| orders::order(orders::kind(&mut random), &mut random))
}

async fn send_and_check(
    dir: &Path,
    urls: &Urls,
    orders: impl ExactSizeIterator<Item = NewOrder>,
    pace: Pace,
    check: bool,
) -> anyhow::Result<Report> {
    let began = Instant::now();
    let outcomes = send(urls, orders, pace).await?;
    let took = began.elapsed();
    // Asked now: somebody may have stopped a part while the orders were under way.
    let services = Services::of(dir, &urls.gateway);
    let checker = Checker::new(&urls.jaeger, services.as_ref());
    let ended = outcomes.iter().filter_map(Outcome::ended);
    let ended: Vec<Order> = ended.cloned().collect();
    let open = where_open(&checker, &outcomes).await;
    let traces = if check {
        let bar = bar(TRACES_BAR, ended.len());
        Some(checker.check_all(&ended, &bar).await)
    } else {
        None
    };
    // Last, so that a second mail about an order has had its time to arrive.
    let (mails, mail_trouble) = wait_for_mails(urls, &ended, services.as_ref()).await;
    let asked =
        Run::ready(dir)?.filter(|(_, addresses)| addresses.value("GATEWAY_URL") == urls.gateway);
    let memory = asked.and_then(|(run, _)| tree::memory_of(run.command));
    Ok(Report {
        outcomes,
        took,
        mails,
        mail_trouble,
        open,
        traces,
        memory,
    })
}

/// What whoever reads the results has to know first: faults that are switched on, and services that do not run.
pub(crate) fn notices(services: Option<&Services>) -> Vec<String> {
    let of = |services: &Services| {
        let faults = services.faults.iter().map(|fault| fault_notice(fault));
        faults.chain(services.absent()).collect()
    };
    services.map(of).unwrap_or_default()
}

/// Where the orders are that have not ended; the same reason is told once.
async fn where_open(checker: &Checker<'_>, outcomes: &[Outcome]) -> Vec<String> {
    let open = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::NotEnded(order) => Some(order),
        Outcome::Ended(_) | Outcome::Refused(_) => None,
    });
    let mut reasons = Vec::new();
    for order in open.take(OPEN_EXPLAINED) {
        reasons.extend(checker.where_is(order).await);
    }
    let reasons = report::tally(reasons.into_iter()).into_iter();
    let lines = reasons.map(|(reason, count)| format!("{count} × {reason}"));
    lines.collect()
}

async fn wait_for_mails(
    urls: &Urls,
    ended: &[Order],
    services: Option<&Services>,
) -> (anyhow::Result<Mails>, Option<String>) {
    let absence = services.and_then(|services| services.absence(EMAIL));
    let patience = absence.map_or(MAIL_PATIENCE, |_| NO_MAIL_PATIENCE);
    let bar = bar(MAILS_BAR, ended.len());
    let orders: Vec<&Order> = ended.iter().collect();
    let mails = mailbox::wait_for_mails(&urls.mail, &orders, patience, &bar).await;
    let trouble = match services {
        Some(services) => services.trouble(EMAIL).await,
        None => None,
    };
    (mails, trouble)
}

/// Sends all, with a line for each as it ends.
async fn send(
    urls: &Urls,
    orders: impl ExactSizeIterator<Item = NewOrder>,
    pace: Pace,
) -> anyhow::Result<Vec<Outcome>> {
    let gateway = Gateway::new(&urls.gateway)?;
    let bar = bar(ORDERS_BAR, orders.len());
    let mut outcomes = Vec::new();
    let mut ends = pin!(run::send_all(&gateway, orders, pace));
    while let Some(outcome) = ends.next().await {
        let line = report::order_line(&outcome, &urls.jaeger);
        bar.suspend(|| writeln!(anstream::stdout(), "{line}"))?;
        bar.inc(1);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// On standard error, and only on a terminal, until it is dropped.
fn bar(template: &str, of: usize) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is constant");
    let bar = ProgressBar::new(of as u64).with_style(style);
    let bar = bar.with_finish(ProgressFinish::AndClear);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
