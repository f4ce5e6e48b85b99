//! `orderflow demo`: everything started, three orders sent, and the trace of the first shown.

use std::cell::Cell;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use futures::future::join_all;
use story::{JaegerClient, Story, Strays, waterfall};
use tokio::time::{Instant, sleep};

use crate::answers::Services;
use crate::gateway::{Gateway, Order, Status};
use crate::screen::{ERROR, Screen, Show, has_colour};
use crate::settings::Addresses;
use crate::signals::INTERRUPTED;
use crate::stack::{StackArgs, with_stack};
use crate::table::OTLP_ENDPOINT;
use crate::traffic::orders::{self, Kind};
use crate::traffic::report::order_line;
use crate::traffic::run::{Outcome, place_and_follow};
use crate::traffic::wholeness::{Checker, Verdict};

/// The first order may meet consumers that are still joining their group.
const LIMIT: Duration = Duration::from_mins(1);

/// How long nothing may have come of traces that lead to no order: then nothing more will.
const QUIET: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(200);

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
    args.stack.look_elsewhere().await?;
    let elsewhere = args.stack.elsewhere().map(ToOwned::to_owned);
    let body = async |screen: &Screen, addresses: &Addresses| {
        let demo = Demo {
            dir,
            screen,
            addresses,
            began,
            placed: SystemTime::now(),
        };
        let orders = demo.place_orders().await?;
        let are_whole = if let Some(endpoint) = &elsewhere {
            let words = "no trace is here to be shown, since they are sent where";
            screen.print(&format!("\n{words} {OTLP_ENDPOINT} says: {endpoint}\n"));
            true
        } else {
            demo.show_traces(&orders).await
        };
        demo.tell_what_next();
        if !args.once {
            screen.tell("\neverything stays up until Ctrl-C");
            return std::future::pending().await;
        }
        finished.set(true);
        let good = orders.len() == SHOWN.len() && are_whole;
        Ok(ExitCode::from(u8::from(!good)))
    };
    let code = with_stack(dir, args.stack, true, Show::Problems, body).await?;
    // Stopped half-way is no success for who wanted to know how it ends.
    Ok(if args.once && !finished.get() {
        ExitCode::from(INTERRUPTED)
    } else {
        code
    })
}

struct Demo<'a> {
    dir: &'a Path,
    screen: &'a Screen,
    addresses: &'a Addresses,
    began: Instant,
    /// No order is older.
    placed: SystemTime,
}

impl Demo<'_> {
    /// Places all at once, with a line for each as it ends; answers with those that ended, in the order of [`SHOWN`].
    async fn place_orders(&self) -> anyhow::Result<Vec<Order>> {
        self.screen.print("");
        let gateway = Gateway::new(self.addresses.value("GATEWAY_URL"))?;
        let mut random = fastrand::Rng::new();
        let first = Cell::new(true);
        let shown = SHOWN.map(|(kind, words)| (orders::order(kind, &mut random), words));
        let jaeger_url = self.addresses.value("JAEGER_URL");
        let outcomes = join_all(shown.map(async |(order, words)| {
            let outcome = place_and_follow(&gateway, order, LIMIT).await;
            let line = order_line(&outcome, jaeger_url);
            self.screen.print(&format!("{line}  {words}"));
            if outcome.ended().is_some() && first.take() {
                let seconds = self.began.elapsed().as_secs_f64();
                self.screen.print(&format!(
                    "the first order ended {seconds:.1} s after the start"
                ));
            }
            outcome
        }))
        .await;
        let ended = outcomes.iter().filter_map(Outcome::ended);
        Ok(ended.cloned().collect())
    }

    /// Draws what there is to see of the orders; whether the trace of each is whole.
    async fn show_traces(&self, orders: &[Order]) -> bool {
        let verdicts = self.look_at_traces(orders).await;
        self.draw_first(orders, &verdicts);
        if let Err(error) = self.draw_strays(&verdicts).await {
            // The orders are told about; and what is up stays up.
            let words = format!("what else was traced cannot be told: {error:#}");
            self.screen.print(&words);
        }
        verdicts.iter().all(Verdict::is_whole)
    }

    /// Whether the trace of each order is whole; a flaw is told with what is known about it.
    async fn look_at_traces(&self, orders: &[Order]) -> Vec<Verdict> {
        let services = Services::of(self.dir, self.addresses.value("GATEWAY_URL"));
        let checker = Checker::new(self.addresses.value("JAEGER_URL"), services.as_ref());
        let waiting = self.screen.waiting("looking at the traces");
        let verdicts = join_all(orders.iter().map(|order| checker.check(order))).await;
        drop(waiting);
        for (order, verdict) in orders.iter().zip(&verdicts) {
            if !verdict.is_whole() {
                let words = checker.describe(order, verdict, true).await;
                self.screen
                    .print(&format!("{ERROR}not whole{ERROR:#}  {words}"));
            }
        }
        verdicts
    }

    /// Draws the trace of the confirmed order, the one that went the whole way.
    fn draw_first(&self, orders: &[Order], verdicts: &[Verdict]) {
        let told = || orders.iter().zip(verdicts);
        let confirmed = told().find(|(order, _)| order.status == Status::Confirmed);
        let mut stories = confirmed.into_iter().chain(told());
        let Some(story) = stories.find_map(|(_, verdict)| verdict.story.as_ref()) else {
            if orders.iter().all(|order| order.trace_id.is_none()) {
                self.screen
                    .print("\nthere is no span: nothing in the services makes any\n");
            }
            return;
        };
        let style = waterfall::Style::for_terminal(has_colour());
        self.screen
            .print(&format!("\n{}", waterfall::render(story, style)));
    }

    /// Draws what messages have left behind outside of the orders' traces, one of each kind: where a context was lost.
    async fn draw_strays(&self, verdicts: &[Verdict]) -> anyhow::Result<()> {
        let client = JaegerClient::new(self.addresses.value("JAEGER_URL"));
        let start = u64::try_from(self.placed.duration_since(UNIX_EPOCH)?.as_nanos())?;
        let stories = verdicts.iter().filter_map(|verdict| verdict.story.as_ref());
        let known = stories.flat_map(Story::traces).collect();
        let (mut strays, mut since) = (Strays::find(&client, start, &known).await?, Instant::now());
        // What has begun to come comes in batches.
        while strays.spans > 0 && since.elapsed() < QUIET {
            sleep(LOOK_EVERY).await;
            let now = Strays::find(&client, start, &known).await?;
            if now.spans != strays.spans {
                since = Instant::now();
            }
            strays = now;
        }
        if strays.traces > 0 {
            let count = strays.traces;
            self.screen.print(&format!(
                "{count} more traces are about messages, and lead to no order; one of each kind:\n"
            ));
        }
        let style = waterfall::Style::for_terminal(has_colour());
        for story in &strays.stories {
            self.screen.print(&waterfall::render(story, style));
        }
        Ok(())
    }

    fn tell_what_next(&self) {
        let [orders, traces, mail] =
            ["GATEWAY_URL", "JAEGER_URL", "MAIL_URL"].map(|name| self.addresses.value(name));
        self.screen.print(&format!(
            "open  orders  {orders}/orders\n      traces  {traces}\n      mail    {mail}"
        ));
        self.screen
            .print("try   orderflow traffic --orders 50\n      orderflow trace <order id>");
    }
}
