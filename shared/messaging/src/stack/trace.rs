use std::task::{Context, Poll};

use futures::future::BoxFuture;
use opentelemetry::trace::FutureExt;
use tower::{BoxError, Layer, Service};
use tracing::{Instrument, Span};

use super::{Batch, Outcome, Process, outcomes};
use crate::settings::Relation;
use crate::span;

/// Gives each attempt a `process` span, in which all inner layers work.
///
/// Where no such span is made, as when a filter disables it or nothing is traced at all, they work in the context that
/// came with the message, so what they send carries it on.
///
/// It belongs outside of what dead-letters, so that the letter is sent in the span of the last attempt.
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceLayer {
    relation: Relation,
}

impl TraceLayer {
    /// How the span relates to the one that sent the message; a batch of several is always linked.
    pub fn new(relation: Relation) -> Self {
        Self { relation }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace {
            inner,
            relation: self.relation,
        }
    }
}

/// See [`TraceLayer`].
#[derive(Debug, Clone)]
pub struct Trace<S> {
    inner: S,
    relation: Relation,
}

impl<S: Process> Service<Batch> for Trace<S> {
    type Response = Vec<Outcome>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Vec<Outcome>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let (span, came) = match batch.as_slice() {
            [delivery] => (
                span::process(delivery, self.relation),
                delivery.context().clone(),
            ),
            several => (span::process_batch(several), opentelemetry::Context::new()),
        };
        let context = span::context(&span, &came);
        let messages = batch.len();
        let call = span.in_scope(|| {
            let _current = context.clone().attach();
            self.inner.call(batch)
        });
        let attempt = Attempt {
            span: span.clone(),
            ended: false,
        };
        let traced = async move {
            let outcomes = outcomes(messages, call).await;
            attempt.end(&outcomes);
            Ok(outcomes)
        };
        Box::pin(traced.with_context(context).instrument(span))
    }
}

/// An attempt that is under way; dropped before its end, its span says so.
struct Attempt {
    span: Span,
    ended: bool,
}

impl Attempt {
    fn end(mut self, outcomes: &[Outcome]) {
        self.ended = true;
        let mut failures = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Processed => None,
            Outcome::DeadLettered(error) | Outcome::Failed(error) => Some(error),
        });
        if let Some(error) = failures.next() {
            span::fail(&self.span, error);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.ended {
            span::abort(&self.span);
        }
    }
}
