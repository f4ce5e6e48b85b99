use std::time::Duration;

use anyhow::Context;
use reqwest::Client;
use url::Url;

use super::below;

const TIMEOUT: Duration = Duration::from_secs(1);

/// Asks whether a service is up. Its client makes no spans: each probe would be a trace.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    client: Client,
    url: Url,
}

impl Health {
    pub(crate) fn new(base: &Url) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(TIMEOUT).build();
        Ok(Self {
            client: client.context("building the HTTP client")?,
            url: below(base, ["healthz"]),
        })
    }

    pub(crate) async fn check(self) -> anyhow::Result<()> {
        let response = self.client.get(self.url).send().await?;
        Ok(response.error_for_status().map(drop)?)
    }
}
