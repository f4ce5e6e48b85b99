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

type Ask = Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// The dependencies that a service asks, each time that it is asked itself, before it calls itself ready.
#[derive(Default)]
pub struct Readiness {
    checks: Vec<Check>,
}

struct Check {
    dependency: &'static str,
    need: Need,
    ask: Ask,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Without it the service can do nothing.
    Always,
    /// Without it work waits, and is done later.
    Later,
}

/// The dependencies that do not answer as they should.
#[derive(Debug, Default)]
struct Away {
    needed: Vec<&'static str>,
    degraded: Vec<&'static str>,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names = self.checks.iter().map(|check| check.dependency);
        f.debug_set().entries(names).finish()
    }
}

impl Readiness {
    /// No dependencies: ready when it lives.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also asks `dependency`, without which the service cannot work: `check` gets a clone of `asked` each time, and is
    /// given up after a second.
    pub fn check<T, F, E>(
        self,
        dependency: &'static str,
        asked: T,
        check: impl Fn(T) -> F + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + 'static,
    {
        self.ask(Need::Always, dependency, asked, check)
    }

    /// Also asks `dependency`, as [`check`](Self::check) does, but without it the service is ready all the same, and says
    /// what it does without: what needs it waits, and is done later.
    pub fn degraded_without<T, F, E>(
        self,
        dependency: &'static str,
        asked: T,
        check: impl Fn(T) -> F + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + 'static,
    {
        self.ask(Need::Later, dependency, asked, check)
    }

    fn ask<T, F, E>(
        mut self,
        need: Need,
        dependency: &'static str,
        asked: T,
        check: impl Fn(T) -> F + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + 'static,
    {
        let ask: Ask = Box::new(move || check(asked.clone()).map_err(Into::into).boxed());
        self.checks.push(Check {
            dependency,
            need,
            ask,
        });
        self
    }

    /// All are asked at the same time.
    async fn away(&self) -> Away {
        let asked = self.checks.iter().map(|check| async move {
            let answer = timeout(ANSWER_WITHIN, (check.ask)()).await;
            let reason = match answer {
                Ok(Ok(())) => return None,
                Ok(Err(error)) => format!("{error:#}"),
                Err(_elapsed) => format!("no answer within {ANSWER_WITHIN:?}"),
            };
            let dependency = check.dependency;
            tracing::debug!(dependency, reason, "a dependency is away");
            Some(check)
        });
        let mut away = Away::default();
        for check in join_all(asked).await.into_iter().flatten() {
            match check.need {
                Need::Always => away.needed.push(check.dependency),
                Need::Later => away.degraded.push(check.dependency),
            }
        }
        away
    }
}

impl IntoResponse for Away {
    fn into_response(self) -> Response {
        let degraded = self.degraded;
        if self.needed.is_empty() {
            let body = if degraded.is_empty() {
                json!({"status": "ready"})
            } else {
                json!({"status": "degraded", "degraded": degraded})
            };
            return Json(body).into_response();
        }
        let needed = self.needed.join(", ");
        let detail = if degraded.is_empty() {
            format!("not ready: {needed}")
        } else {
            format!("not ready: {needed}; degraded: {}", degraded.join(", "))
        };
        Problem::new(StatusCode::SERVICE_UNAVAILABLE)
            .detail(detail)
            .into_response()
    }
}

/// `GET /healthz`: the process is up.
/// `GET /readyz`: what it cannot do without answers now, else 503 naming what does not; what it does without is named too.
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
    readiness.away().await.into_response()
}
