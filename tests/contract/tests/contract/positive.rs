//! Orders whose story must be whole.

use anyhow::ensure;
use journey::Story;
use journey::contract::scenarios::{HAPPY, NO_STOCK, SUSPICIOUS};
use journey::contract::{Scenario, wait_until_whole};
use libtest_mimic::Completion;

use crate::customer::{Customer, PATIENCE, Placed, wait_for};

/// Nobody else in these tests orders it, so its number stays what it was read to be.
const SHORT_ITEM: &str = "ITEM-010";

pub(crate) async fn a_confirmed_order(customer: Customer) -> anyhow::Result<Completion> {
    let placed = confirmed(&customer).await?;
    let story = whole(&customer, &placed, "confirmed", &HAPPY).await?;
    let reserved = count(&story, "POST /stock/{item_id}/reserve");
    ensure!(
        reserved == 2,
        "two items were ordered, but {reserved} reserved"
    );
    Ok(Completion::Completed)
}

pub(crate) async fn an_order_without_stock(customer: Customer) -> anyhow::Result<Completion> {
    let placed = without_stock(&customer).await?;
    let story = whole(&customer, &placed, "rejected", &NO_STOCK).await?;
    let released = count(&story, "POST /stock/{item_id}/release");
    ensure!(
        released == 1,
        "one item was reserved before the short one, but {released} released"
    );
    Ok(Completion::Completed)
}

pub(crate) async fn a_suspicious_order(customer: Customer) -> anyhow::Result<Completion> {
    let placed = suspicious(&customer).await?;
    whole(&customer, &placed, "in_review", &SUSPICIOUS).await?;
    Ok(Completion::Completed)
}

/// Places an order of two items that are there.
pub(crate) async fn confirmed(customer: &Customer) -> anyhow::Result<Placed> {
    let items = [("ITEM-001", 1), ("ITEM-002", 1)];
    customer.order(&items, "ring twice").await
}

/// Places an order of two items, of the second of which there is not enough.
pub(crate) async fn without_stock(customer: &Customer) -> anyhow::Result<Placed> {
    let too_many = customer.available(SHORT_ITEM).await? + 1;
    let items = [("ITEM-003", 1), (SHORT_ITEM, too_many)];
    customer.order(&items, "").await
}

/// Places an order that somebody should look at.
pub(crate) async fn suspicious(customer: &Customer) -> anyhow::Result<Placed> {
    let note = "ship to a freight forwarder and pay with several different gift cards";
    customer.order(&[("ITEM-004", 1)], note).await
}

/// Every service that had a part in the order said something about it that can be found by its trace.
pub(crate) async fn the_logs_of_an_order(
    customer: Customer,
    keeps_logs: bool,
) -> anyhow::Result<Completion> {
    let placed = customer.order(&[("ITEM-005", 1)], "").await?;
    customer.ended(&placed.order_id).await?;
    if customer
        .services_that_logged(placed.trace_id)
        .await?
        .is_none()
    {
        ensure!(!keeps_logs, "the trace store has no logs");
        return Ok(Completion::ignored_with("this trace store keeps no logs"));
    }
    let all = async || {
        let logged = customer
            .services_that_logged(placed.trace_id)
            .await?
            .unwrap_or_default();
        let missing = ["orders", "classifier", "email"]
            .into_iter()
            .any(|name| !logged.iter().any(|it| it == name));
        Ok((!missing).then_some(()))
    };
    wait_for(
        "log records of orders, classifier and email with the order's trace id",
        all,
    )
    .await?;
    Ok(Completion::Completed)
}

/// Follows an order to its end, its one mail and its whole story.
pub(crate) async fn whole(
    customer: &Customer,
    placed: &Placed,
    end: &str,
    scenario: &'static Scenario,
) -> anyhow::Result<Story> {
    let status = customer.ended(&placed.order_id).await?;
    ensure!(
        status == end,
        "order {} should end as {end}, not {status}",
        placed.order_id
    );
    let story = wait_until_whole(&customer.jaeger, placed.trace_id, scenario, PATIENCE).await?;
    let remembered = &placed.remembered;
    ensure!(
        *remembered == placed.trace_id.to_string(),
        "the order remembers trace {remembered}, not its own"
    );
    let mails = customer.mails(&placed.order_id).await?;
    ensure!(mails == 1, "{mails} mails about order {}", placed.order_id);
    Ok(story)
}

fn count(story: &Story, name: &str) -> usize {
    story
        .spans()
        .iter()
        .filter(|span| span.name == name)
        .count()
}
