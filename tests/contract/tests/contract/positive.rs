//! Orders whose story must be whole.

use anyhow::ensure;
use contract::scenarios::{DECIDED, HAPPY, NO_STOCK, SUSPICIOUS};
use contract::{Scenario, wait_until_whole};
use libtest_mimic::Completion;
use reqwest::StatusCode;
use story::Story;

use crate::customer::{Customer, PATIENCE, Placed, wait_for};

/// Nobody else in these tests orders them, so their numbers stay what they were read to be.
const SHORT_ITEM: &str = "ITEM-010";
const BESIDE_IT: &str = "ITEM-003";

pub(crate) async fn a_confirmed_order(customer: Customer) -> anyhow::Result<Completion> {
    let placed = confirmed(&customer).await?;
    whole(&customer, &placed, "confirmed", &HAPPY).await?;
    Ok(Completion::Completed)
}

pub(crate) async fn an_order_without_stock(customer: Customer) -> anyhow::Result<Completion> {
    let placed = without_stock(&customer).await?;
    let before = customer.available(BESIDE_IT).await?;
    whole(&customer, &placed, "rejected", &NO_STOCK).await?;
    let after = customer.available(BESIDE_IT).await?;
    ensure!(
        before == after,
        "nothing is held of an order that is short of an item, but {before} became {after}"
    );
    Ok(Completion::Completed)
}

pub(crate) async fn a_suspicious_order(customer: Customer) -> anyhow::Result<Completion> {
    let placed = suspicious(&customer).await?;
    whole(&customer, &placed, "in_review", &SUSPICIOUS).await?;
    Ok(Completion::Completed)
}

/// A person confirms what looked suspicious: one more trace, one more mail, and the stock is kept.
pub(crate) async fn an_order_that_a_person_decides(
    customer: Customer,
) -> anyhow::Result<Completion> {
    let placed = suspicious(&customer).await?;
    whole(&customer, &placed, "in_review", &SUSPICIOUS).await?;
    let Some(answer) = customer.decide(&placed.order_id, "confirmed").await? else {
        return Ok(Completion::ignored_with("ORDERS_URL is not set"));
    };
    ensure!(
        answer == StatusCode::NO_CONTENT,
        "the decision was answered with {answer}"
    );
    customer.reaches(&placed.order_id, "confirmed").await?;
    let trace = placed.trace_id;
    wait_until_whole(&customer.jaeger, trace, |_| &DECIDED, PATIENCE).await?;
    told_once_of_each(&customer, &placed, &["in_review", "confirmed"]).await?;
    let again = customer.decide(&placed.order_id, "rejected").await?;
    ensure!(
        again == Some(StatusCode::CONFLICT),
        "nothing leaves confirmed, but a decision was answered with {again:?}"
    );
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
    let items = [(BESIDE_IT, 1), (SHORT_ITEM, too_many)];
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
    let story = wait_until_whole(&customer.jaeger, placed.trace_id, |_| scenario, PATIENCE).await?;
    let remembered = &placed.remembered;
    ensure!(
        *remembered == placed.trace_id.to_string(),
        "the order remembers trace {remembered}, not its own"
    );
    told_once_of_each(customer, placed, &[end]).await?;
    Ok(story)
}

/// The customer got one mail for each of these statuses, and no other.
pub(crate) async fn told_once_of_each(
    customer: &Customer,
    placed: &Placed,
    statuses: &[&str],
) -> anyhow::Result<()> {
    let order = &placed.order_id;
    let subjects = customer.mails(order, statuses.len()).await?;
    ensure!(
        subjects.len() == statuses.len(),
        "order {order} should have {} mails: {subjects:?}",
        statuses.len()
    );
    for status in statuses {
        let words = status.replace('_', " ");
        ensure!(
            subjects.iter().any(|subject| subject.ends_with(&words)),
            "no mail tells that order {order} is {status}: {subjects:?}"
        );
    }
    Ok(())
}
