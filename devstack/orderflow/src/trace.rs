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
    let trace_id = find_trace_id(&args.id, &targets.gateway).await?;
    let client = JaegerClient::new(&targets.jaeger);
    let story = Story::gather(&client, trace_id).await?;
    let story = story.with_context(|| format!("{} knows no trace {trace_id}", targets.jaeger))?;
    let style = waterfall::Style::for_terminal(has_colour());
    write!(anstream::stdout(), "{}", waterfall::render(&story, style))?;
    let explainer = Explainer {
        client,
        services: services.as_ref(),
    };
    let order = (!is_trace_id(&args.id)).then_some(args.id.as_str());
    for sentence in explainer.explain(&story, order).await {
        writeln!(anstream::stdout(), "\nthe order {sentence}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An order remembers its trace, so that no search by attribute is needed.
async fn find_trace_id(id: &str, gateway_url: &str) -> anyhow::Result<TraceId> {
    if is_trace_id(id) {
        return id.parse().with_context(|| format!("{id} is no trace id"));
    }
    let order = Gateway::new(gateway_url)?
        .order(id)
        .await
        .with_context(|| format!("asking for the order {id}"))?;
    let order = order.with_context(|| format!("{gateway_url} knows no order {id}"))?;
    let trace_id = order
        .trace_id
        .with_context(|| format!("the order {id} was not traced"))?;
    trace_id
        .parse()
        .with_context(|| format!("{trace_id} is no trace id"))
}

/// An order id has hyphens, so the two cannot be taken for each other.
fn is_trace_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::is_trace_id;

    #[test]
    fn tells_trace_ids_from_order_ids() {
        assert!(is_trace_id("0af7651916cd43dd8448eb211c80319c"));
        assert!(!is_trace_id("0193b1a2-7c1e-7d3a-9b1f-0af765191600"));
        assert!(!is_trace_id("0af7"));
        assert!(!is_trace_id("0af7651916cd43dd8448eb211c80319g"));
    }
}
