//! The person who decides about orders in review.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

const LOOKS_EVERY: Duration = Duration::from_millis(300);
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Order {
    #[serde(rename = "order_id")]
    id: Uuid,
    customer_id: String,
    status: String,
}

/// What a person thinks of an order; in a third of the cases nothing yet.
const DECISIONS: [Option<&str>; 3] = [Some("confirmed"), Some("rejected"), None];

/// Decides about the orders of a cell as they come, until it is dropped.
///
/// Who is not answered asks again: the order is then still in review, or decided as it was meant.
pub(crate) async fn decide(
    orders: &str,
    prefix: &str,
    mut random: fastrand::Rng,
) -> anyhow::Result<()> {
    let http = Client::builder().timeout(TIMEOUT).no_proxy().build()?;
    let mut decisions = HashMap::new();
    loop {
        for id in in_review(&http, orders, prefix).await.unwrap_or_default() {
            let decision = decisions
                .entry(id)
                .or_insert_with(|| random.choice(DECISIONS).flatten());
            if let Some(status) = decision {
                let url = format!("{orders}/orders/{id}/status");
                http.patch(url)
                    .json(&json!({"status": status}))
                    .send()
                    .await
                    .ok();
            }
        }
        sleep(LOOKS_EVERY).await;
    }
}

async fn in_review(http: &Client, orders: &str, prefix: &str) -> reqwest::Result<Vec<Uuid>> {
    let list = http
        .get(format!("{orders}/orders?limit=100"))
        .send()
        .await?;
    let list: Vec<Order> = list.error_for_status()?.json().await?;
    let own = list
        .into_iter()
        .filter(|order| order.customer_id.starts_with(prefix));
    Ok(own
        .filter(|order| order.status == "in_review")
        .map(|order| order.id)
        .collect())
}
