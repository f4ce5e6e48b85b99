//! `orderflow trace`: the linked trace of an order, as a waterfall.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use story::{JaegerClient, Story, TraceId, waterfall};

use crate::answers::Services;
use crate::explain::Explainer;
use crate::gateway::Gateway;
use crate::screen::has_colour;
use crate::targets::Targets;
use crate::traffic::notices;

#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// An order id, or a trace id (32 hexadecimal digits).
    #[arg(value_name = "ORDER OR TRACE ID")]
    id: String,
    #[command(flatten)]
    targets: Targets,
}

pub(crate) async fn run(dir: &std::path::Path, args: TraceArgs) -> anyhow::Result<ExitCode> {
    let targets = args.targets.resolve(dir)?;
    let services = Services::of(dir, &targets.gateway);
    for notice in notices(services.as_ref()) {
        writeln!(anstream::stderr(), "{notice}")?;
    }
    // An order id has hyphens, so the two cannot be taken for each other.
    let trace_id = args.id.parse::<TraceId>();
    let order = trace_id.is_err().then_some(args.id.as_str());
    let trace_id = match order {
        Some(order) => trace_of(order, &targets.gateway).await?,
        None => trace_id?,
    };
    let client = JaegerClient::new(&targets.jaeger);
    let story = Story::gather(&client, trace_id).await?;
    let story = story.with_context(|| format!("{} knows no trace {trace_id}", targets.jaeger))?;
    let style = waterfall::Style::for_terminal(has_colour());
    write!(anstream::stdout(), "{}", waterfall::render(&story, style))?;
    let explainer = Explainer {
        client,
        services: services.as_ref(),
    };
    for sentence in explainer.explain(&story, order).await {
        writeln!(anstream::stdout(), "\nthe order {sentence}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An order remembers its trace, so that no search by attribute is needed.
async fn trace_of(order: &str, gateway_url: &str) -> anyhow::Result<TraceId> {
    let asked = Gateway::new(gateway_url)?.order(order).await;
    let asked = asked.with_context(|| format!("asking for the order {order}"))?;
    let known = asked.with_context(|| format!("{gateway_url} knows no order {order}"))?;
    let trace_id = known.trace_id;
    let trace_id = trace_id.with_context(|| format!("the order {order} was not traced"))?;
    Ok(trace_id.parse()?)
}
