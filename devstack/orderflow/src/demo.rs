//! `orderflow demo`: everything started, three orders sent, and the trace of the first shown.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use futures::future::join_all;
use journey::{JaegerClient, waterfall};
use tokio::time::Instant;

use crate::gateway::{Gateway, Order};
use crate::screen::{Screen, Show, has_colour};
use crate::settings::Addresses;
use crate::stack::{StackArgs, with_stack};
use crate::traffic::orders::{self, Kind};
use crate::traffic::report::order_line;
use crate::traffic::run::{Outcome, place_and_follow};
use crate::traffic::wholeness;

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
    with_stack(
        dir,
        args.stack,
        Show::Problems,
        async |screen, addresses| {
            let good = show(screen, addresses, began).await?;
            screen.print(&what_next(addresses));
            if args.once {
                return Ok(if good {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                });
            }
            screen.tell("everything stays up until Ctrl-C");
            std::future::pending().await
        },
    )
    .await
}

/// Sends the orders, shows what became of them; `true` if all ended and all traces were whole.
async fn show(screen: &Screen, addresses: &Addresses, began: Instant) -> anyhow::Result<bool> {
    screen.print("");
    let orders = send(screen, addresses, began).await?;
    let client = JaegerClient::new(addresses.jaeger_url());
    let stories = join_all(orders.iter().map(|order| wholeness::check(&client, order))).await;
    for (order, story) in orders.iter().zip(&stories) {
        if let Err(reason) = story {
            screen.print(&format!("the trace of {} is not whole: {reason}", order.id));
        }
    }
    if let Some(Ok(story)) = stories.first() {
        let style = waterfall::Style::for_terminal(has_colour());
        screen.print(&format!("\n{}", waterfall::render(story, style)));
    }
    Ok(orders.len() == SHOWN.len() && stories.iter().all(Result::is_ok))
}

/// Sends all at once and answers with those that ended, in the order of [`SHOWN`].
async fn send(
    screen: &Screen,
    addresses: &Addresses,
    began: Instant,
) -> anyhow::Result<Vec<Order>> {
    let gateway = Gateway::new(&addresses.gateway_url())?;
    let jaeger_url = addresses.jaeger_url();
    let mut random = fastrand::Rng::new();
    let first = tokio::sync::OnceCell::new();
    let outcomes = SHOWN.map(|(kind, words)| {
        let (order, gateway, first, jaeger_url) = (
            orders::order(kind, &mut random),
            &gateway,
            &first,
            &jaeger_url,
        );
        async move {
            let outcome = place_and_follow(gateway, order, LIMIT).await;
            if outcome.ended().is_some() && first.set(()).is_ok() {
                screen.print(&format!(
                    "first order ended {:.1} s after the start",
                    began.elapsed().as_secs_f64()
                ));
            }
            screen.print(&format!("{}  {words}", order_line(&outcome, jaeger_url)));
            outcome
        }
    });
    Ok(join_all(outcomes)
        .await
        .iter()
        .filter_map(Outcome::ended)
        .cloned()
        .collect())
}

fn what_next(addresses: &Addresses) -> String {
    let mut text = String::new();
    for (what, url) in [
        ("orders", format!("{}/orders", addresses.gateway_url())),
        ("traces", addresses.jaeger_url()),
        ("mail", addresses.mail_url()),
    ] {
        let _ = writeln!(text, "  {what:<7} {url}");
    }
    format!("open\n{text}try\n  orderflow traffic --orders 50\n  orderflow trace <order id>")
}
