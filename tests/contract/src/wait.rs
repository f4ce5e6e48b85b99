//! Waits for a story to be whole: its spans come from five services, each exporting when it likes.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::check::check;
use crate::table::Scenario;
use crate::violation::Broken;
use story::{ClientError, JaegerClient, Story, TraceId};

const POLL: Duration = Duration::from_millis(100);

/// Why a story was given up.
#[derive(Debug, thiserror::Error)]
pub enum NotWhole {
    #[error("the trace store does not know trace {0}")]
    Unknown(TraceId),
    #[error(transparent)]
    Broken(#[from] Box<Broken>),
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Reads the story of `id` again and again until it keeps the contract, and returns it.
///
/// `scenario` says which one it is held against, given how much of it there is.
/// Kept means that the last spans are there, nothing is broken, and no span came since the look before: one that comes
/// late may still break it.
/// `patience` is only when to give up; the last violation is then the answer.
pub async fn wait_until_whole(
    client: &JaegerClient,
    id: TraceId,
    scenario: impl Fn(&Story) -> &'static Scenario,
    patience: Duration,
) -> Result<Story, NotWhole> {
    let deadline = Instant::now() + patience;
    let mut before = None;
    loop {
        let next = Instant::now() + POLL;
        let look = look(client, id, &scenario).await;
        match look {
            Ok(story) if before == Some(story.spans().len()) => return Ok(story),
            Ok(story) => before = Some(story.spans().len()),
            Err(reason) if next >= deadline => return Err(reason),
            Err(_) => before = None,
        }
        sleep_until(next).await;
    }
}

async fn look(
    client: &JaegerClient,
    id: TraceId,
    scenario: &impl Fn(&Story) -> &'static Scenario,
) -> Result<Story, NotWhole> {
    let story = Story::gather(client, id)
        .await?
        .ok_or(NotWhole::Unknown(id))?;
    check(&story, scenario(&story))?;
    Ok(story)
}
