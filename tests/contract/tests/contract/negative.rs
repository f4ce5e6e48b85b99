//! Services that lose the context on purpose, on one hop at a time: then the contract must fail, and name that hop.

use anyhow::bail;
use contract::scenarios::HAPPY;
use contract::{Broken, Transport, Violation, check};
use libtest_mimic::{Completion, Trial};
use stack::Servers;
use story::{Story, TraceId};

use crate::addresses::Addresses;
use crate::customer::{Customer, wait_for};
use crate::{on_a_stack_of_its_own, start};

/// `FAULT_DROP_CONTEXT`'s names of the hops, and what carries the context there.
const HOPS: [(&str, Transport); 5] = [
    ("http", Transport::Http),
    ("outbox", Transport::Outbox),
    ("kafka", Transport::Kafka),
    ("sqs", Transport::Sqs),
    ("pubsub", Transport::PubSub),
];

/// A test per hop; skipped where the services are not ours to break.
pub(crate) fn trials(servers: Servers, outside: bool) -> Vec<Trial> {
    HOPS.into_iter()
        .map(|(hop, over)| trial(servers, hop, over, outside))
        .collect()
}

fn trial(servers: Servers, hop: &'static str, over: Transport, outside: bool) -> Trial {
    let name = format!("the_contract_breaks_where_{hop}_loses_the_context");
    on_a_stack_of_its_own(name, outside, async move || {
        breaks(servers, hop, over).await
    })
}

async fn breaks(
    servers: Servers,
    hop: &'static str,
    over: Transport,
) -> anyhow::Result<Completion> {
    let stack = start(servers, &[("FAULT_DROP_CONTEXT", hop)]).await?;
    let customer = Customer::new(Addresses::of(&stack)?);
    let placed = customer.order(&[("ITEM-001", 1)], "").await?;
    customer.ended(&placed.order_id).await?;
    wait_for(
        "the end of the order's story, in another trace",
        async || {
            Ok(ended_elsewhere(&customer, placed.trace_id)
                .await?
                .then_some(()))
        },
    )
    .await?;
    wait_for("the contract to break at that hop", async || {
        broken_at(&customer, placed.trace_id, over).await
    })
    .await?;
    Ok(Completion::Completed)
}

/// Whether the one order of this stack was told to the end in a trace other than its own.
///
/// Only then is what is missing from its trace lost, and not merely late.
async fn ended_elsewhere(customer: &Customer, own: TraceId) -> anyhow::Result<bool> {
    let spans = customer.jaeger.recent("email").await?;
    let Some(mail) = spans.iter().find(|span| span.name == "send mail") else {
        return Ok(false);
    };
    if mail.trace_id == own {
        bail!("the context was not lost: the mail was sent in the order's own trace");
    }
    Ok(true)
}

async fn broken_at(
    customer: &Customer,
    id: TraceId,
    over: Transport,
) -> anyhow::Result<Option<()>> {
    let Some(story) = Story::gather(&customer.jaeger, id).await? else {
        return Ok(None);
    };
    let Err(broken) = check(&story, &HAPPY) else {
        return Ok(None);
    };
    Ok((first_broken(&broken) == Some(over)).then_some(()))
}

fn first_broken(broken: &Broken) -> Option<Transport> {
    match broken.violations.first()? {
        Violation::BrokenEdge { row, .. } => Some(row.over),
        Violation::Rule { .. } => None,
    }
}
