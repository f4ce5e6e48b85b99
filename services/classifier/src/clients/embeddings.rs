//! An OpenAI-compatible embeddings API.
//!
//! <https://platform.openai.com/docs/api-reference/embeddings>

use std::fmt;
use std::time::Duration;

use anyhow::{Context, ensure};
use otel_messaging::ErrorType;
use serde::{Deserialize, Serialize};
use telemetry::http::Client;
use tracing::{Instrument, Span, field, info_span};
use url::Url;
use web::{Probe, below};

use crate::config::Config;

/// Models on a processor take their time.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks one model for embeddings. Cheap to clone.
#[derive(Clone)]
pub(crate) struct EmbeddingsClient {
    client: Client,
    base: Url,
    key: String,
    model: String,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [String],
}

#[derive(Deserialize)]
struct Response {
    data: Vec<Embedding>,
    model: String,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Embedding {
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: i64,
}

impl EmbeddingsClient {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            client: telemetry::http::foreign_client(TIMEOUT)?,
            base: config.openai_base_url.clone(),
            key: config.openai_api_key.clone(),
            model: config.openai_embeddings_model.clone(),
        })
    }

    /// Asks for the list of models: to embed a text would cost, and even a refusal of a probe without a key is an answer.
    pub(crate) fn probe(config: &Config) -> anyhow::Result<Probe> {
        Probe::new(below(&config.openai_base_url, ["models"]))
    }

    /// One vector per text, in their order, in an `embeddings <model>` span.
    pub(crate) async fn embed(&self, texts: &[String]) -> anyhow::Result<Vec<Vec<f32>>> {
        let span = self.span();
        let result = self.request(texts).instrument(span.clone()).await;
        let result = result.map_err(super::classed);
        if let Err(error) = &result {
            let class = error
                .downcast_ref::<ErrorType>()
                .map_or("_OTHER", |class| class.0);
            telemetry::fail(&span, class, &format!("{error:#}"));
        }
        result
    }

    async fn request(&self, texts: &[String]) -> anyhow::Result<Vec<Vec<f32>>> {
        let url = below(&self.base, ["embeddings"]);
        let body = Request {
            model: &self.model,
            input: texts,
        };
        let mut request = self.client.post(url).json(&body);
        if !self.key.is_empty() {
            request = request.bearer_auth(&self.key);
        }
        let response = request.send().await?.error_for_status()?;
        let response: Response = response.json().await.context("reading the embeddings")?;
        ensure!(
            response.data.len() == texts.len(),
            "{} texts, but {} embeddings",
            texts.len(),
            response.data.len()
        );
        in_order(response)
    }

    /// By <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/#embeddings>
    fn span(&self) -> Span {
        info_span!(
            "embeddings",
            otel.name = format!("embeddings {}", self.model),
            otel.kind = "client",
            gen_ai.operation.name = "embeddings",
            gen_ai.provider.name = "openai",
            gen_ai.request.model = self.model,
            gen_ai.response.model = field::Empty,
            gen_ai.embeddings.dimension.count = field::Empty,
            gen_ai.usage.input_tokens = field::Empty,
            server.address = self.base.host_str().map(telemetry::http::bare_host),
            server.port = self.base.port_or_known_default().map(i64::from),
        )
    }
}

impl fmt::Debug for EmbeddingsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddingsClient")
            .field("base", &self.base.as_str())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

fn in_order(mut response: Response) -> anyhow::Result<Vec<Vec<f32>>> {
    let span = Span::current();
    span.record("gen_ai.response.model", response.model);
    if let Some(usage) = response.usage {
        span.record("gen_ai.usage.input_tokens", usage.prompt_tokens);
    }
    response.data.sort_by_key(|embedding| embedding.index);
    let indexes = response.data.iter().map(|embedding| embedding.index);
    ensure!(
        indexes.eq(0..response.data.len()),
        "the embeddings do not belong to the texts one by one"
    );
    let vectors: Vec<Vec<f32>> = response
        .data
        .into_iter()
        .map(|data| data.embedding)
        .collect();
    if let Some(dimensions) = vectors
        .first()
        .and_then(|vector| i64::try_from(vector.len()).ok())
    {
        span.record("gen_ai.embeddings.dimension.count", dimensions);
    }
    Ok(vectors)
}
