//! Work that is brought to its end.

use std::panic::resume_unwind;

/// Does `work` to its end, in the current span and context, also when whoever waits for it gives up: a request's future is
/// dropped when its client hangs up, and a message's when its consumer has lost it.
///
/// For what has an effect before it is all done. It lasts until the process ends at most, so `work` has limits of its own.
pub async fn uncancelled<F>(work: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "it has its span, and is to have no owner that could end it"
    )]
    let done = tokio::spawn(telemetry::in_current_context(work)).await;
    done.unwrap_or_else(|panic| resume_unwind(panic.into_panic()))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn goes_on_when_nobody_waits_any_more() {
        let (go, may_go) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let work = uncancelled(async move {
            may_go.await.unwrap();
            done.send(7).unwrap();
        });
        assert!(work.now_or_never().is_none());
        go.send(()).unwrap();
        assert_eq!(is_done.await, Ok(7));
    }
}
