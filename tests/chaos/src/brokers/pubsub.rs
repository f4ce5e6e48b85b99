//! What a pull finds in the subscriptions, over the emulators' REST API.

use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::Utc;
use domain::OrderClassified;
use reqwest::Client;
use serde_json::{Value, json};

use crate::books::Waiting;

const TIMEOUT: Duration = Duration::from_secs(10);
const AT_ONCE: u32 = 100;

#[derive(Debug, Clone)]
pub(super) struct Pubsub {
    http: Client,
    subscriptions: String,
}

impl Pubsub {
    pub(super) fn at(host: &str, project: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: Client::builder().timeout(TIMEOUT).no_proxy().build()?,
            subscriptions: format!("http://{host}/v1/projects/{project}/subscriptions"),
        })
    }

    pub(super) async fn waiting(&self) -> anyhow::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for subscription in [OrderClassified::SUBSCRIPTION, OrderClassified::DEAD_LETTERS] {
            waiting.push(Waiting {
                place: format!("the subscription {subscription}"),
                messages: self.look(subscription).await?,
                dead: subscription == OrderClassified::DEAD_LETTERS,
            });
        }
        Ok(waiting)
    }

    /// What was published until now counts as acknowledged.
    pub(super) async fn empty(&self) -> anyhow::Result<()> {
        let now = json!({"time": Utc::now().to_rfc3339()});
        self.call(OrderClassified::SUBSCRIPTION, "seek", &now)
            .await?;
        Ok(())
    }

    /// Takes what is there, and hands it back at once.
    async fn look(&self, subscription: &str) -> anyhow::Result<i64> {
        let request = json!({"maxMessages": AT_ONCE, "returnImmediately": true});
        let answer = self.call(subscription, "pull", &request).await?;
        let messages = answer["receivedMessages"].as_array();
        let ids: Vec<_> = messages
            .into_iter()
            .flatten()
            .map(|it| &it["ackId"])
            .collect();
        if !ids.is_empty() {
            let request = json!({"ackIds": ids, "ackDeadlineSeconds": 0});
            self.call(subscription, "modifyAckDeadline", &request)
                .await?;
        }
        i64::try_from(ids.len()).context("there are few")
    }

    async fn call(&self, subscription: &str, verb: &str, request: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/{subscription}:{verb}", self.subscriptions);
        let response = self.http.post(url).json(request).send().await?;
        let (status, body) = (response.status(), response.text().await?);
        ensure!(
            status.is_success(),
            "{verb} of {subscription}: {status}: {body}"
        );
        Ok(serde_json::from_str(&body)?)
    }
}
