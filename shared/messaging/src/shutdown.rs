//! The end of a consumer.

use std::time::Duration;

use tokio::task::JoinSet;

/// Waits for what is in hand, but no longer than `within`: the rest is dropped unsettled, and comes again.
pub(crate) async fn finish(mut tasks: JoinSet<()>, within: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(within, all).await.is_err() {
        tracing::warn!(
            unfinished = tasks.len(),
            "shutdown does not wait any longer, what is in hand will come again"
        );
        tasks.shutdown().await;
    }
}
