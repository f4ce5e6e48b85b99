//! Asks a trace store: Jaeger's query API v3, and our own store's index of backlinks.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use crate::otlp::{self, DecodeError};
use crate::span::{Span, SpanRef, TraceId};

/// Longer than any store should need for one trace, shorter than a reader's patience.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client of Jaeger's query API, of version 2.13 or later, or of our own store.
///
/// Its requests carry no trace context: reading a story must not add to it.
#[derive(Debug, Clone)]
pub struct JaegerClient {
    http: reqwest::Client,
    base_url: String,
}

/// Why a trace could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the trace store at {url} does not answer")]
    Unreachable { url: String, source: reqwest::Error },
    #[error("the trace store answered {status} to {url}")]
    Refused { url: String, status: StatusCode },
    #[error("the trace store's answer to {url} is not a trace")]
    Malformed { url: String, source: DecodeError },
}

/// The answer of the backlinks index: the spans that link into a trace.
#[derive(Deserialize)]
struct Backlinks {
    data: Vec<SpanRef>,
}

/// A parameter of a search: Jaeger up to 2.13 knows the first spelling, later versions the second, and each ignores the
/// other.
type Parameter = [&'static str; 2];
const SERVICE: Parameter = ["query.service_name", "query.serviceName"];
const OPERATION: Parameter = ["query.operation_name", "query.operationName"];
const FROM: Parameter = ["query.start_time_min", "query.startTimeMin"];
const UNTIL: Parameter = ["query.start_time_max", "query.startTimeMax"];
const MOST: Parameter = ["query.num_traces", "query.searchDepth"];
const ATTRIBUTES: Parameter = ["query.attributes", "query.attributes"];

impl JaegerClient {
    /// `base_url` is the query address, such as `http://localhost:16686`, with or without a final slash.
    pub fn new(base_url: impl Into<String>) -> Self {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .build()
            .expect("the options are valid");
        let base_url = base_url.into().trim_end_matches('/').to_owned();
        Self { http, base_url }
    }

    /// The address this client asks.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Every span stored for `id` so far, in no particular order; `None` when the store does not know the trace.
    pub async fn trace(&self, id: TraceId) -> Result<Option<Vec<Span>>, ClientError> {
        let url = format!("{}/api/v3/traces/{id}", self.base_url);
        let spans = self.spans(url).await?;
        Ok((!spans.is_empty()).then_some(spans))
    }

    /// Every span of the traces in which `service` took part during the last hour, up to a hundred of them.
    pub async fn recent(&self, service: &str) -> Result<Vec<Span>, ClientError> {
        self.search(last_hour(), 100, &[(SERVICE, service)]).await
    }

    /// Every span of the traces in which `service` took part since `start`, in nanoseconds since the Unix epoch; of the
    /// newest five hundred of them, if there are more.
    pub async fn since(&self, start: u64, service: &str) -> Result<Vec<Span>, ClientError> {
        self.search(since(start), 500, &[(SERVICE, service)]).await
    }

    /// Every span of the traces in which `service` has done `operation` since `start`, as [`since`](Self::since).
    pub async fn operations_since(
        &self,
        start: u64,
        service: &str,
        operation: &str,
    ) -> Result<Vec<Span>, ClientError> {
        let filters = [(SERVICE, service), (OPERATION, operation)];
        self.search(since(start), 500, &filters).await
    }

    /// The spans of the last hour with which `service` handled messages of this idempotency key.
    ///
    /// Of the newest two hundred traces of the service, where the store cannot search by attribute.
    pub async fn handled(&self, service: &str, key: &str) -> Result<Vec<Span>, ClientError> {
        const KEY: &str = "orderflow.messaging.idempotency_key";
        let wanted = serde_json::json!({ KEY: key }).to_string();
        let filters = [(SERVICE, service), (ATTRIBUTES, &wanted)];
        let mut spans = self.search(last_hour(), 200, &filters).await?;
        spans.retain(|span| span.text(KEY) == key);
        Ok(spans)
    }

    /// Every span of the traces with a span that began within the minute after `start`, in nanoseconds since the Unix
    /// epoch; of the newest two hundred of them, if there are more.
    pub async fn minute_after(&self, start: u64) -> Result<Vec<Span>, ClientError> {
        let from = DateTime::from_timestamp_nanos(start.cast_signed());
        self.search([from, from + TimeDelta::minutes(1)], 200, &[])
            .await
    }

    /// The spans of any trace that link to a span of `id`; `None` where the store keeps no index of them.
    ///
    /// Only our own does: Jaeger answers with 404 or with its web page.
    pub async fn backlinks(&self, id: TraceId) -> Result<Option<Vec<SpanRef>>, ClientError> {
        let url = format!("{}/api/orderflow/backlinks/{id}", self.base_url);
        let answer = self.get(&url).await?;
        if !answer.status.is_success() || !answer.is_json {
            return Ok(None);
        }
        let backlinks = serde_json::from_str::<Backlinks>(&answer.body);
        let backlinks = backlinks.map_err(|error| ClientError::Malformed {
            url,
            source: error.into(),
        });
        Ok(Some(backlinks?.data))
    }

    async fn search(
        &self,
        [from, until]: [DateTime<Utc>; 2],
        most: u32,
        filters: &[(Parameter, &str)],
    ) -> Result<Vec<Span>, ClientError> {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let (from, until, most) = (time(from), time(until), most.to_string());
        let bounds = [(FROM, from.as_str()), (UNTIL, &until), (MOST, &most)];
        let parameters = bounds.iter().chain(filters);
        let spelled = parameters.flat_map(|(names, value)| names.map(|name| (name, *value)));
        let encoded = Url::parse_with_params("http://store", spelled).expect("it is an address");
        let (base, query) = (&self.base_url, encoded.query().unwrap_or_default());
        self.spans(format!("{base}/api/v3/traces?{query}")).await
    }

    async fn spans(&self, url: String) -> Result<Vec<Span>, ClientError> {
        let Answer { status, body, .. } = self.get(&url).await?;
        match status {
            StatusCode::NOT_FOUND => Ok(Vec::new()),
            status if !status.is_success() => Err(ClientError::Refused { url, status }),
            _ => otlp::decode(&body).map_err(|source| ClientError::Malformed { url, source }),
        }
    }

    async fn get(&self, url: &str) -> Result<Answer, ClientError> {
        let answer = async {
            let response = self.http.get(url).send().await?;
            let content_type = response.headers().get(CONTENT_TYPE);
            Ok(Answer {
                status: response.status(),
                is_json: content_type
                    .is_some_and(|value| value.as_bytes().starts_with(b"application/json")),
                body: response.text().await?,
            })
        };
        answer.await.map_err(|source| ClientError::Unreachable {
            url: url.to_owned(),
            source,
        })
    }
}

/// What a store says to one request.
struct Answer {
    status: StatusCode,
    is_json: bool,
    body: String,
}

fn last_hour() -> [DateTime<Utc>; 2] {
    let (now, hour) = (Utc::now(), TimeDelta::hours(1));
    [now - hour, now + hour]
}

/// From `start` until now, and a little more: a service's clock may be ahead of ours.
fn since(start: u64) -> [DateTime<Utc>; 2] {
    let until = Utc::now() + TimeDelta::minutes(1);
    [DateTime::from_timestamp_nanos(start.cast_signed()), until]
}

#[cfg(test)]
mod tests;
