//! `orderflow demo`: everything started, three orders sent, and the trace of the first shown.

use std::cell::Cell;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::Args;
use futures::future::join_all;
use story::{Story, waterfall};
use tokio::time::Instant;

use crate::gateway::{Gateway, Order, Status};
use crate::screen::{ERROR, Screen, Show, has_colour};
use crate::settings::Addresses;
use crate::stack::{Extent, INTERRUPTED, StackArgs, with_stack};
use crate::status::Services;
use crate::traffic::orders::{self, Kind};
use crate::traffic::report::order_line;
use crate::traffic::run::{Outcome, place_and_follow};
use crate::traffic::wholeness::Checker;

/// The first order may meet consumers that are still joining their group.
const LIMIT: Duration = Duration::from_mins(1);

/// What the demo orders, and what it says about each.
const SHOWN: [(Kind, &str); 3] = [
    (Kind::Ordinary, "an ordinary order"),
    (Kind::WithoutStock, "one for more than there is"),
    (Kind::Suspicious, "one that looks like fraud"),
];

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Stop by itself: exit code 0 if every order ended and its trace was whole, 1 otherwise.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    stack: StackArgs,
}

pub(crate) async fn run(dir: &Path, args: DemoArgs) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let finished = Cell::new(false);
    let code = with_stack(
        dir,
        args.stack,
        Extent::Everything,
        Show::Problems,
        async |screen, addresses| {
            let demo = Demo {
                dir,
                screen,
                addresses,
                began,
            };
            let orders = demo.place_orders().await?;
            let stories = demo.read_stories(&orders).await;
            demo.draw_first(&orders, &stories.all);
            demo.tell_what_next();
            if !args.once {
                screen.tell("\neverything stays up until Ctrl-C");
                return std::future::pending().await;
            }
            finished.set(true);
            let good = orders.len() == SHOWN.len() && stories.whole == SHOWN.len();
            Ok(if good {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        },
    )
    .await?;
    // Stopped half-way is no success for who wanted to know how it ends.
    Ok(if args.once && !finished.get() {
        ExitCode::from(INTERRUPTED)
    } else {
        code
    })
}

/// What the store told of the orders.
#[derive(Default)]
struct Stories {
    whole: usize,
    all: Vec<Story>,
}

struct Demo<'a> {
    dir: &'a Path,
    screen: &'a Screen,
    addresses: &'a Addresses,
    began: Instant,
}

impl Demo<'_> {
    /// Places all at once, with a line for each as it ends; answers with those that ended, in the order of [`SHOWN`].
    async fn place_orders(&self) -> anyhow::Result<Vec<Order>> {
        self.screen.print("");
        let gateway = Gateway::new(&self.addresses.gateway_url())?;
        let mut random = fastrand::Rng::new();
        let first = AtomicBool::new(true);
        let shown = SHOWN.map(|(kind, words)| (orders::order(kind, &mut random), words));
        let outcomes = join_all(shown.map(async |(order, words)| {
            let outcome = place_and_follow(&gateway, order, LIMIT).await;
            self.tell(
                &outcome,
                words,
                outcome.ended().is_some() && first.swap(false, Relaxed),
            );
            outcome
        }))
        .await;
        Ok(outcomes
            .iter()
            .filter_map(Outcome::ended)
            .cloned()
            .collect())
    }

    fn tell(&self, outcome: &Outcome, words: &str, is_first: bool) {
        let line = order_line(outcome, &self.addresses.jaeger_url());
        self.screen.print(&format!("{line}  {words}"));
        if is_first {
            let seconds = self.began.elapsed().as_secs_f64();
            self.screen.print(&format!(
                "the first order ended {seconds:.1} s after the start"
            ));
        }
    }

    /// The story of each order, whole or not; a flaw is told with what is known about it.
    async fn read_stories(&self, orders: &[Order]) -> Stories {
        let services = Services::of(self.dir, &self.addresses.gateway_url()).await;
        let checker = Checker::new(&self.addresses.jaeger_url(), services.as_ref());
        let waiting = self.screen.waiting("looking at the traces");
        let verdicts = join_all(orders.iter().map(|order| checker.check(order))).await;
        drop(waiting);
        let mut stories = Stories::default();
        for (order, verdict) in orders.iter().zip(verdicts) {
            match verdict {
                Ok(whole) => {
                    stories.whole += 1;
                    stories.all.push(whole.story);
                }
                Err(flawed) => {
                    let words = checker.describe(order, &flawed, true).await;
                    self.screen
                        .print(&format!("{ERROR}not whole{ERROR:#}  {words}"));
                    stories.all.extend(flawed.story.map(|story| *story));
                }
            }
        }
        stories
    }

    /// Draws the trace of the confirmed order, the one that went the whole way.
    fn draw_first(&self, orders: &[Order], stories: &[Story]) {
        let confirmed = orders
            .iter()
            .find(|order| order.status == Status::Confirmed);
        let trace_id = confirmed.and_then(|order| order.trace_id.clone());
        let its = stories
            .iter()
            .find(|story| Some(story.origin().to_string()) == trace_id);
        if let Some(story) = its.or(stories.first()) {
            let style = waterfall::Style::for_terminal(has_colour());
            self.screen
                .print(&format!("\n{}", waterfall::render(story, style)));
        }
    }

    fn tell_what_next(&self) {
        let (orders, traces, mail) = (
            self.addresses.gateway_url(),
            self.addresses.jaeger_url(),
            self.addresses.mail_url(),
        );
        self.screen.print(&format!(
            "open  orders  {orders}/orders\n      traces  {traces}\n      mail    {mail}"
        ));
        self.screen
            .print("try   orderflow traffic --orders 50\n      orderflow trace <order id>");
    }
}
