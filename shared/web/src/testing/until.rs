use std::time::Duration;

/// How long a test waits for something that will happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `look` finds something, and fails the test if it never does.
pub async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .expect("it would have happened by now")
}
