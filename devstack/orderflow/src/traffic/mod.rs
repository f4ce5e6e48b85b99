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
use futures::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use crate::gateway::{Gateway, NewOrder, Order};
use crate::memory;
use crate::rundir::Run;
use crate::targets::{Targets, Urls};
use report::Report;
use run::{Outcome, Pace};

/// Up to here, every trace is looked at unless the user says otherwise; it takes some milliseconds each.
const CHECKED_BY_DEFAULT: usize = 1000;

/// A mail follows the change of status, and is retried when the mail server is away.
const MAIL_PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(crate) struct TrafficArgs {
    /// How many orders to place.
    #[arg(long, default_value_t = 20, value_name = "N")]
    orders: usize,
    /// Orders per second; 0 places them as fast as they are accepted.
    #[arg(long, default_value_t = 5.0, value_name = "R", value_parser = parse_rate)]
    rate: f64,
    /// Orders under way at once, at most.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = parse_concurrency)]
    concurrency: usize,
    /// Seconds that one order may take to its end.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    timeout: u64,
    /// The same seed gives the same orders.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Hold every trace against the trace contract [default: up to 1000 orders].
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    check: Option<bool>,
    #[command(flatten)]
    targets: Targets,
}

/// Zero orders at once would wait for ever.
fn parse_concurrency(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| "not a whole number".to_owned())?;
    if number == 0 {
        Err("at least 1".to_owned())
    } else {
        Ok(number)
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1e6).contains(&rate) {
        Ok(rate)
    } else {
        Err("from 0 to 1000000".to_owned())
    }
}

pub(crate) async fn run(dir: &Path, args: TrafficArgs) -> anyhow::Result<ExitCode> {
    let check = args.check.unwrap_or(args.orders <= CHECKED_BY_DEFAULT);
    let urls = args.targets.resolve(dir)?;
    let pace = Pace {
        rate: args.rate,
        concurrency: args.concurrency,
        limit: Duration::from_secs(args.timeout),
    };
    let orders = realistic(args.orders, args.seed);
    writeln!(
        anstream::stderr(),
        "orders go to {}, {}",
        urls.gateway,
        urls.why
    )?;
    let report = send_and_check(dir, &urls, orders, pace, check).await?;
    write!(anstream::stdout(), "\n{}", report.render())?;
    Ok(if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
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
    let ended: Vec<Order> = outcomes
        .iter()
        .filter_map(Outcome::ended)
        .cloned()
        .collect();
    let ids: Vec<&str> = ended.iter().map(|order| order.id.as_str()).collect();
    let traces = if check {
        Some(wholeness::check_all(&urls.jaeger, &ended).await)
    } else {
        None
    };
    // Last, so that a second mail about an order has had its time to arrive.
    let mails = mailbox::wait_for_mails(&urls.mail, &ids, MAIL_PATIENCE).await;
    let asked = Run::ready(dir)?.filter(|(_, addresses)| addresses.gateway_url() == urls.gateway);
    let memory = asked.and_then(|(run, _)| memory::of_stack(&run));
    Ok(Report {
        outcomes,
        took,
        mails,
        traces,
        memory,
    })
}

/// Sends all, with a line for each as it ends.
async fn send(
    urls: &Urls,
    orders: impl ExactSizeIterator<Item = NewOrder>,
    pace: Pace,
) -> anyhow::Result<Vec<Outcome>> {
    let gateway = Gateway::new(&urls.gateway)?;
    let bar = progress_bar(orders.len());
    let mut outcomes = Vec::new();
    let mut ends = pin!(run::send_all(&gateway, orders, pace));
    while let Some(outcome) = ends.next().await {
        let line = report::order_line(&outcome, &urls.jaeger);
        bar.suspend(|| writeln!(anstream::stdout(), "{line}"))?;
        bar.inc(1);
        outcomes.push(outcome);
    }
    bar.finish_and_clear();
    Ok(outcomes)
}

/// On standard error, and only on a terminal.
fn progress_bar(orders: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:40.green/dim} {pos}/{len} orders ended  {elapsed:.dim}");
    ProgressBar::new(orders as u64).with_style(style.expect("the template is constant"))
}
