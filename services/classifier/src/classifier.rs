//! What is found out about an order: its category, and whether its items can be had.

use std::collections::HashMap;

use anyhow::Context;
use domain::{
    Category, ClassificationJob, CustomerId, Finding, Hold, ItemId, OrderClassified, OrderId,
};
use otel_messaging::{Dependency, ErrorType};

use crate::clients::{EmbeddingsClient, HoldAnswer, InventoryClient};
use crate::model::Model;

/// Finds out about orders. What becomes of them is not decided here.
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

    /// Finds the category of an order, and holds what it wants; asked twice, it finds the same and holds once.
    ///
    /// `None` if the order has ended: then there is nothing more to find out.
    pub(crate) async fn classify(
        &self,
        job: &ClassificationJob,
    ) -> anyhow::Result<Option<OrderClassified>> {
        let category = self.category(job).await.context(Dependency("embeddings"))?;
        telemetry::set_attribute("orderflow.order.category", category.as_str());
        let hold = Hold::new(job.order_id, &job.items);
        let answer = self.inventory.hold(&hold).await;
        let (finding, reason) = match answer.context(Dependency("inventory"))? {
            HoldAnswer::Held => (Finding::Held, suspicion(category)),
            HoldAnswer::Short(reason) => (Finding::Short, Some(reason)),
            HoldAnswer::Ended => return Ok(None),
        };
        Ok(Some(OrderClassified {
            order_id: job.order_id,
            customer_id: job.customer_id.clone(),
            finding,
            category: Some(category),
            reason,
        }))
    }

    async fn category(&self, job: &ClassificationJob) -> anyhow::Result<Category> {
        let vectors = self.embeddings.embed(&texts(&self.names, job)).await?;
        let category = self.model.category(&vectors);
        category.context(ErrorType("invalid_answer"))
    }
}

/// The order's message is given up. What is held for the order stays held: the message may be redriven.
pub(crate) fn given_up(order_id: OrderId, customer_id: CustomerId) -> OrderClassified {
    OrderClassified {
        order_id,
        customer_id,
        finding: Finding::GivenUp,
        category: None,
        reason: Some("the order could not be processed".to_owned()),
    }
}

/// Of all categories this one alone needs an explanation.
fn suspicion(category: Category) -> Option<String> {
    (category == Category::Suspicious).then(|| "the order looks suspicious".to_owned())
}

/// An order in words: what its items are called, and what the customer said, if anything.
///
/// They stay apart, because a long list of items would drown what the note says.
/// An item without a name, unknown or added since the start, goes by its id.
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
