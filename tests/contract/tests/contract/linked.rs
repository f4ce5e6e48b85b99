//! Services that begin a trace for each message, linked to the one that sent it: the story is whole all the same.

use anyhow::ensure;
use contract::scenarios::LINKED;
use libtest_mimic::{Completion, Trial};
use stack::Servers;

use crate::addresses::Addresses;
use crate::customer::Customer;
use crate::positive::{confirmed, whole};
use crate::{on_a_stack_of_its_own, start};

/// Skipped where the services are not ours to set up.
pub(crate) fn trial(servers: Servers, outside: bool) -> Trial {
    let name = "linked_traces_are_one_whole_story".to_owned();
    on_a_stack_of_its_own(name, outside, async move || is_one_story(servers).await)
}

async fn is_one_story(servers: Servers) -> anyhow::Result<Completion> {
    let stack = start(servers, &[("MESSAGING_TRACE_RELATION", "link")]).await?;
    let customer = Customer::new(Addresses::of(&stack)?);
    let placed = confirmed(&customer).await?;
    let story = whole(&customer, &placed, "confirmed", &LINKED).await?;
    let traces = story.traces().len();
    ensure!(
        traces == 6,
        "a request and five messages are 6 traces, not {traces}"
    );
    Ok(Completion::Completed)
}
