//! A handler that does as the event's id says.

use std::sync::Arc;

use anyhow::anyhow;
use otel_messaging::{Delivery, Handler, HandlerError};
use tokio::sync::{Semaphore, mpsc};

use crate::broker::Event;

/// What the handler was called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) attempt: u32,
}

/// `reject…` is rejected, `retry…` works the second time, `never…` never does, `slow…` waits to be let go.
pub(crate) struct Scripted {
    calls: mpsc::UnboundedSender<Call>,
    let_go: Arc<Semaphore>,
}

impl Scripted {
    /// The handler, the calls it gets, and what lets the slow ones go.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Call>, Arc<Semaphore>) {
        let (calls, received) = mpsc::unbounded_channel();
        let let_go = Arc::new(Semaphore::new(0));
        (
            Self {
                calls,
                let_go: let_go.clone(),
            },
            received,
            let_go,
        )
    }
}

impl Handler for Scripted {
    type Event = Event;

    fn idempotency_key(&self, event: &Event) -> String {
        event.id.clone()
    }

    async fn handle(&self, event: &Event, delivery: &Delivery) -> Result<(), HandlerError> {
        let (id, attempt) = (event.id.clone(), delivery.attempt);
        let call = Call { id, attempt };
        self.calls.send(call).map_err(HandlerError::retry)?;
        match event.id.split('-').next().unwrap_or_default() {
            "reject" => Err(HandlerError::Reject(anyhow!("rejected by the test"))),
            "retry" if attempt == 1 => Err(HandlerError::Retry(anyhow!("not yet"))),
            "never" => Err(HandlerError::Retry(anyhow!("never"))),
            "slow" => {
                let permit = self.let_go.acquire().await;
                permit.map_err(HandlerError::retry)?.forget();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
