//! What the remotes have in common: their answers are passed on as they are.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use telemetry::Faults;
use telemetry::http::Client;
use url::Url;

/// Long enough for a healthy service, short enough for a readiness probe.
const PROBE_TIMEOUT: Duration = Duration::from_millis(800);

/// An answer that is meant for the caller: a success, or a problem that the caller can mend.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer for the caller. None of it is the caller's fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("{service} did not answer in time")]
    Timeout { service: &'static str },
    #[error("{service} is not reachable")]
    Unreachable {
        service: &'static str,
        source: anyhow::Error,
    },
    #[error("{service} answered {status}")]
    Failed {
        service: &'static str,
        status: StatusCode,
    },
}

/// One service behind the gateway. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    service: &'static str,
    client: Client,
    /// Not traced: probes would fill the trace store.
    probe: reqwest::Client,
    base: Url,
}

impl Upstream {
    pub(crate) fn new(
        service: &'static str,
        base: &Url,
        timeout: Duration,
        faults: &Faults,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            service,
            client: telemetry::http::client(timeout, faults)?,
            probe: reqwest::Client::builder().timeout(PROBE_TIMEOUT).build()?,
            base: base.clone(),
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, UpstreamError> {
        self.answer(self.client.get(self.url(path))).await
    }

    /// Never tried twice: the service may have done what it did not live to tell.
    pub(crate) async fn post<T: serde::Serialize>(
        &self,
        path: &str,
        body: &T,
    ) -> Result<Answer, UpstreamError> {
        self.answer(self.client.post(self.url(path)).json(body))
            .await
    }

    /// Whether the service is up.
    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        let answer = self.probe.get(self.url("healthz")).send().await?;
        answer.error_for_status()?;
        Ok(())
    }

    async fn answer(
        &self,
        request: reqwest_middleware::RequestBuilder,
    ) -> Result<Answer, UpstreamError> {
        let service = self.service;
        let response = request.send().await.map_err(|error| self.failure(error))?;
        let status = response.status();
        if status.is_server_error() {
            return Err(UpstreamError::Failed { service, status });
        }
        let headers = passed_on(response.headers());
        let body = response
            .bytes()
            .await
            .map_err(|error| self.failure(error.into()))?;
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    fn failure(&self, error: reqwest_middleware::Error) -> UpstreamError {
        let service = self.service;
        if error.is_timeout() {
            UpstreamError::Timeout { service }
        } else {
            UpstreamError::Unreachable {
                service,
                source: error.into(),
            }
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }
}

fn passed_on(from: &HeaderMap) -> HeaderMap {
    let kept = [CONTENT_TYPE, LOCATION].into_iter();
    kept.filter_map(|name| Some((name.clone(), from.get(&name)?.clone())))
        .collect()
}
