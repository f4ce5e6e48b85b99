//! What a pull finds in the subscriptions, over the emulators' REST API.

use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use domain::OrderClassified;
use reqwest::Client;
use serde_json::{Value, json};

use crate::books::Waiting;

const TIMEOUT: Duration = Duration::from_secs(10);
const AT_ONCE: u32 = 100;
const SUBSCRIPTIONS: &str = "subscriptions";

#[derive(Debug, Clone)]
pub(super) struct Pubsub {
    http: Client,
    project: String,
}

impl Pubsub {
    pub(super) fn at(host: &str, project: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: Client::builder().timeout(TIMEOUT).no_proxy().build()?,
            project: format!("http://{host}/v1/projects/{project}"),
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

    pub(super) async fn publish(&self, topic: &str, data: &Value) -> anyhow::Result<()> {
        let data = STANDARD.encode(data.to_string());
        let request = json!({"messages": [{"data": data}]});
        self.call("topics", topic, "publish", &request).await?;
        Ok(())
    }

    /// What was published until now counts as acknowledged.
    pub(super) async fn empty(&self) -> anyhow::Result<()> {
        let now = json!({"time": Utc::now().to_rfc3339()});
        let subscription = OrderClassified::SUBSCRIPTION;
        self.call(SUBSCRIPTIONS, subscription, "seek", &now).await?;
        Ok(())
    }

    /// Takes what is there, and hands it back at once.
    async fn look(&self, subscription: &str) -> anyhow::Result<i64> {
        let request = json!({"maxMessages": AT_ONCE, "returnImmediately": true});
        let answer = self
            .call(SUBSCRIPTIONS, subscription, "pull", &request)
            .await?;
        let messages = answer["receivedMessages"].as_array();
        let ids: Vec<_> = messages
            .into_iter()
            .flatten()
            .map(|it| &it["ackId"])
            .collect();
        if !ids.is_empty() {
            let request = json!({"ackIds": ids, "ackDeadlineSeconds": 0});
            let verb = "modifyAckDeadline";
            self.call(SUBSCRIPTIONS, subscription, verb, &request)
                .await?;
        }
        i64::try_from(ids.len()).context("there are few")
    }

    async fn call(
        &self,
        kind: &str,
        name: &str,
        verb: &str,
        request: &Value,
    ) -> anyhow::Result<Value> {
        let url = format!("{}/{kind}/{name}:{verb}", self.project);
        let response = self.http.post(url).json(request).send().await?;
        let (status, body) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{verb} of {name}: {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }
}
