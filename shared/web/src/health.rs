//! Whether a service lives, and whether it can work.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, TryFutureExt};
use http::StatusCode;
use serde_json::json;
use tokio::time::timeout;

use crate::problem::Problem;

/// Shorter than what asks: orchestrators wait a second or more, and try again.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

type Check = Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// The dependencies that a service asks before it calls itself ready.
#[derive(Default)]
pub struct Readiness {
    checks: Vec<(&'static str, Check)>,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names = self.checks.iter().map(|(name, _)| name);
        f.debug_set().entries(names).finish()
    }
}

impl Readiness {
    /// No dependencies: ready when it lives.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also asks `dependency`: `check` gets a clone of `asked` each time, and is given up after a second.
    pub fn check<T, F, E>(
        mut self,
        dependency: &'static str,
        asked: T,
        check: impl Fn(T) -> F + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + 'static,
    {
        let check: Check = Box::new(move || check(asked.clone()).map_err(Into::into).boxed());
        self.checks.push((dependency, check));
        self
    }

    /// The dependencies that do not answer as they should.
    async fn failing(&self) -> Vec<&'static str> {
        let asked = self.checks.iter().map(|(name, check)| async move {
            let reason = match timeout(ANSWER_WITHIN, check()).await {
                Ok(Ok(())) => return None,
                Ok(Err(error)) => format!("{error:#}"),
                Err(_elapsed) => format!("no answer within {ANSWER_WITHIN:?}"),
            };
            tracing::debug!(dependency = name, reason, "not ready");
            Some(*name)
        });
        join_all(asked).await.into_iter().flatten().collect()
    }
}

/// `GET /healthz`: the process is up. `GET /readyz`: its dependencies answer, else 503 naming those that do not.
///
/// Merge it after the telemetry layers, so that no probe becomes a trace.
pub fn health(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(Arc::new(readiness))
}

async fn alive() -> Json<serde_json::Value> {
    Json(json!({"status": "up"}))
}

async fn ready(State(readiness): State<Arc<Readiness>>) -> Response {
    let failing = readiness.failing().await;
    if failing.is_empty() {
        return Json(json!({"status": "ready"})).into_response();
    }
    Problem::new(StatusCode::SERVICE_UNAVAILABLE)
        .detail(format!("not ready: {}", failing.join(", ")))
        .into_response()
}
