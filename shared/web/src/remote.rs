//! The services that a service calls: where things are there, and whether they are up.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Response};
use url::Url;

/// As long as [`Readiness`](crate::Readiness) waits.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The URL of a place below `base`, whether or not that ends in a slash.
///
/// Segments are escaped: `a/b` is one.
pub fn below<'a>(base: &Url, segments: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    url.path_segments_mut()
        .expect("an http URL has a path")
        .pop_if_empty()
        .extend(segments);
    url
}

/// Asks whether a remote is up. Its client makes no spans: each probe would be a trace.
#[derive(Debug, Clone)]
pub struct Probe {
    client: Client,
    url: Url,
}

impl Probe {
    /// A probe that asks with `GET url`.
    pub fn new(url: Url) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(TIMEOUT).build();
        let client = client.context("building the HTTP client")?;
        Ok(Self { client, url })
    }

    /// A probe that asks a service of ours whether it lives.
    ///
    /// Not whether it is ready: then one dependency that is away would take all down that stand before it.
    pub fn healthz(base: &Url) -> anyhow::Result<Self> {
        Self::new(below(base, ["healthz"]))
    }

    /// A probe that asks a service of ours whether it is ready.
    pub fn readyz(base: &Url) -> anyhow::Result<Self> {
        Self::new(below(base, ["readyz"]))
    }

    /// Whether it does not say that it is not ready. One that does not answer at all says nothing.
    pub async fn does_not_object(self) -> anyhow::Result<()> {
        match self.ask().await {
            Ok(response) => Ok(response.error_for_status().map(drop)?),
            Err(_) => Ok(()),
        }
    }

    /// Whether it answers with success.
    pub async fn succeeds(self) -> anyhow::Result<()> {
        let response = self.ask().await?;
        Ok(response.error_for_status().map(drop)?)
    }

    /// Whether it answers, and not with an error of its own: enough where a probe has no key, or asks for what may not be there.
    pub async fn answers(self) -> anyhow::Result<()> {
        let response = self.ask().await?;
        let status = response.status();
        anyhow::ensure!(!status.is_server_error(), "it answers {status}");
        Ok(())
    }

    async fn ask(self) -> reqwest::Result<Response> {
        self.client.get(self.url).send().await
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use http::StatusCode;
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    #[test]
    fn finds_places_below_any_base() {
        for (base, expected) in [
            ("http://orders:8081", "http://orders:8081/orders/a%2Fb"),
            ("http://orders:8081/", "http://orders:8081/orders/a%2Fb"),
            (
                "https://example.com/api",
                "https://example.com/api/orders/a%2Fb",
            ),
            (
                "https://example.com/api/",
                "https://example.com/api/orders/a%2Fb",
            ),
        ] {
            let url = below(&base.parse().unwrap(), ["orders", "a/b"]);
            assert_eq!(url.as_str(), expected);
        }
    }

    /// Whether a remote that answers with `status` succeeds, and whether it answers.
    async fn verdicts(status: u16) -> (bool, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        let router = Router::new().route("/healthz", get(move || async move { status }));
        let mut server = JoinSet::new();
        server.spawn(axum::serve(listener, router).into_future());
        let probe = Probe::healthz(&base.parse().unwrap()).unwrap();
        let succeeds = probe.clone().succeeds().await.is_ok();
        (succeeds, probe.answers().await.is_ok())
    }

    #[tokio::test]
    async fn tells_success_from_an_answer_and_an_answer_from_a_failure() {
        assert_eq!(verdicts(200).await, (true, true));
        assert_eq!(verdicts(401).await, (false, true));
        assert_eq!(verdicts(404).await, (false, true));
        assert_eq!(verdicts(503).await, (false, false));
    }

    #[tokio::test]
    async fn nobody_is_no_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let probe = Probe::healthz(&base.parse().unwrap()).unwrap();
        assert!(probe.answers().await.is_err());
    }
}
