use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tower::{BoxError, Layer, Service};

use super::{Batch, Outcome, Process};
use crate::error::{HandlerError, Panicked};

/// Turns a panic into [`Retry`](HandlerError::Retry): the message of another sender must not be lost for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct CatchPanicLayer;

impl<S> Layer<S> for CatchPanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic { inner }
    }
}

/// See [`CatchPanicLayer`].
#[derive(Debug, Clone)]
pub struct CatchPanic<S> {
    inner: S,
}

impl<S: Process> Service<Batch> for CatchPanic<S> {
    type Response = Vec<Outcome>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Vec<Outcome>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        // Also the call that makes the future may panic.
        let call = std::panic::catch_unwind(AssertUnwindSafe(|| self.inner.call(batch)));
        Box::pin(async move {
            let called = match call {
                Ok(future) => AssertUnwindSafe(future).catch_unwind().await,
                Err(panic) => Err(panic),
            };
            match called {
                Ok(answer) => answer.map_err(Into::into),
                Err(panic) => Err(panicked(panic.as_ref()).into()),
            }
        })
    }
}

/// What the panic said goes to the log by the panic hook; it may tell too much for a dead letter.
pub(crate) fn panicked(_: &(dyn Any + Send)) -> HandlerError {
    HandlerError::retry(Panicked)
}
