//! A handler that does as the event's id says.

use std::sync::Arc;

use anyhow::anyhow;
use otel_messaging::{BatchHandler, Delivery, Handler, HandlerError, Headers};
use tokio::sync::{Semaphore, mpsc};

use crate::broker::Event;

/// What the handler was called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) attempt: u32,
    pub(crate) headers: Headers,
    /// How many events were handed over together.
    pub(crate) together: usize,
}

/// What the first word of an id asks for:
///
/// | word | answer |
/// |---|---|
/// | `reject` | rejected |
/// | `retry` | works the second time |
/// | `never` | fails with `Retry` each time |
/// | `away` | fails with `Unavailable` four times |
/// | `panic` | panics each time |
/// | `slow` | waits to be let go |
/// | any other | works |
#[derive(Clone)]
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

    async fn answer(
        &self,
        event: Event,
        delivery: &Delivery,
        together: usize,
    ) -> Result<(), HandlerError> {
        let (id, attempt) = (event.id, delivery.attempt());
        let word = id.split('-').next().unwrap_or_default().to_owned();
        let headers = delivery.headers().clone();
        let call = Call {
            id,
            attempt,
            headers,
            together,
        };
        self.calls.send(call).map_err(HandlerError::retry)?;
        match word.as_str() {
            "reject" => Err(HandlerError::Reject(anyhow!("rejected by the test"))),
            "retry" if attempt == 1 => Err(HandlerError::Retry(anyhow!("not yet"))),
            "never" => Err(HandlerError::Retry(anyhow!("never"))),
            "away" if attempt < 5 => Err(HandlerError::Unavailable(anyhow!("away"))),
            "panic" => panic!("as the case wants"),
            "slow" => {
                let permit = self.let_go.acquire().await;
                permit.map_err(HandlerError::retry)?.forget();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Handler for Scripted {
    type Event = Event;

    fn idempotency_key(&self, event: &Event) -> Option<String> {
        Some(event.id.clone())
    }

    async fn handle(&self, event: Event, delivery: &Delivery) -> Result<(), HandlerError> {
        self.answer(event, delivery, 1).await
    }
}

impl BatchHandler for Scripted {
    type Event = Event;

    async fn handle_batch(&self, batch: Vec<(Event, Delivery)>) -> Vec<Result<(), HandlerError>> {
        let together = batch.len();
        let mut answers = Vec::new();
        for (event, delivery) in batch {
            answers.push(self.answer(event, &delivery, together).await);
        }
        answers
    }
}
