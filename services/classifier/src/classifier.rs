//! What becomes of an order: its category, and whether its items can be had.

use std::collections::HashMap;

use anyhow::Context;
use domain::{Category, ClassificationJob, ItemId, OrderClassified, Outcome};
use otel_messaging::Dependency;

use crate::clients::{EmbeddingsClient, InventoryClient, Reservation};
use crate::model::Model;

/// Decides about orders.
#[derive(Debug)]
pub(crate) struct Classifier {
    embeddings: EmbeddingsClient,
    inventory: InventoryClient,
    model: Model,
    names: HashMap<ItemId, String>,
}

impl Classifier {
    /// `names` are what items are called; an order's text is made of them.
    pub(crate) fn new(
        embeddings: EmbeddingsClient,
        inventory: InventoryClient,
        model: Model,
        names: HashMap<ItemId, String>,
    ) -> Self {
        Self {
            embeddings,
            inventory,
            model,
            names,
        }
    }

    /// Decides about one order, and reserves what it wants. Asked twice, it decides the same and reserves once.
    pub(crate) async fn decide(&self, job: &ClassificationJob) -> anyhow::Result<OrderClassified> {
        let category = self
            .categorise(job)
            .await
            .context(Dependency("embeddings"))?;
        telemetry::set_attribute("orderflow.order.category", category.as_str());
        if category == Category::Suspicious {
            let reason = "the order looks suspicious".to_owned();
            return Ok(decided(
                job,
                Outcome::InReview,
                Some(category),
                Some(reason),
            ));
        }
        let missing = self
            .reserve_all(job)
            .await
            .context(Dependency("inventory"))?;
        let outcome = if missing.is_some() {
            Outcome::Rejected
        } else {
            Outcome::Confirmed
        };
        Ok(decided(job, outcome, Some(category), missing))
    }

    /// Gives up on an order whose job could not be done: it keeps nothing reserved.
    pub(crate) async fn give_up(&self, job: &ClassificationJob) -> anyhow::Result<OrderClassified> {
        let items: Vec<_> = job
            .items
            .per_item()
            .into_iter()
            .map(|(item, _)| item)
            .collect();
        self.release(job, &items)
            .await
            .context(Dependency("inventory"))?;
        let reason = "the order could not be processed".to_owned();
        Ok(decided(job, Outcome::Failed, None, Some(reason)))
    }

    async fn categorise(&self, job: &ClassificationJob) -> anyhow::Result<Category> {
        let vectors = self.embeddings.embed(&texts(&self.names, job)).await?;
        self.model.category(&vectors)
    }

    /// Reserves each item, or none: `Some` says which one could not be had.
    async fn reserve_all(&self, job: &ClassificationJob) -> anyhow::Result<Option<String>> {
        let mut reserved = Vec::new();
        for (item, quantity) in job.items.per_item() {
            let missing = match self
                .inventory
                .reserve(&item, job.order_id, quantity)
                .await?
            {
                Reservation::Made => {
                    reserved.push(item);
                    continue;
                }
                Reservation::NoStock => format!("{item} is out of stock"),
                Reservation::UnknownItem => format!("{item} is not in our catalogue"),
            };
            self.release(job, &reserved).await?;
            return Ok(Some(missing));
        }
        Ok(None)
    }

    async fn release(&self, job: &ClassificationJob, items: &[ItemId]) -> anyhow::Result<()> {
        for item in items {
            self.inventory.release(item, job.order_id).await?;
        }
        Ok(())
    }
}

/// An order in words: what its items are called, and what the customer said, if anything.
///
/// They stay apart, because a long list of items would drown what the note says.
fn texts(names: &HashMap<ItemId, String>, job: &ClassificationJob) -> Vec<String> {
    let items = job.items.per_item();
    let called = items
        .iter()
        .map(|(item, _)| names.get(item).map_or(item.as_str(), String::as_str));
    let mut texts = vec![called.collect::<Vec<_>>().join(", ")];
    let note = job.note.as_str().trim();
    if !note.is_empty() {
        texts.push(note.to_owned());
    }
    texts
}

fn decided(
    job: &ClassificationJob,
    outcome: Outcome,
    category: Option<Category>,
    reason: Option<String>,
) -> OrderClassified {
    OrderClassified {
        order_id: job.order_id,
        customer_id: job.customer_id.clone(),
        outcome,
        category,
        reason,
    }
}
