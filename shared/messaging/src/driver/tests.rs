use std::convert::Infallible;
use std::sync::Mutex;

use anyhow::anyhow;
use tower::service_fn;

use super::*;
use crate::stack::Batch;
use crate::testing::keyed;

/// What was done about a message, by its payload.
type Log = Arc<Mutex<Vec<String>>>;

/// Gives all messages at once, and ends when nothing happens any more.
struct Script {
    messages: Vec<Delivery>,
    log: Log,
    done: CancellationToken,
}

struct Noted {
    name: String,
    log: Log,
}

fn name(delivery: &Delivery) -> String {
    String::from_utf8(delivery.payload().unwrap().to_vec()).unwrap()
}

impl Source for Script {
    type Receipt = Noted;

    fn room(&self, in_hand: usize) -> usize {
        10 - in_hand
    }

    async fn receive(&mut self, _: usize) -> Result<Vec<Received<Noted>>, ReceiveError> {
        if self.messages.is_empty() {
            // The clock stands still while there is something to do.
            tokio::time::sleep(Duration::from_hours(1)).await;
            self.done.cancel();
            return std::future::pending().await;
        }
        let messages = self.messages.drain(..);
        let received = messages.map(|delivery| {
            let (name, log) = (name(&delivery), self.log.clone());
            (delivery, Noted { name, log })
        });
        Ok(received.collect())
    }
}

impl Receipt for Noted {
    const RETRIES_IN_PLACE: bool = false;

    fn ack(self) {
        self.log.lock().unwrap().push(format!("ack {}", self.name));
    }

    fn retry(self, _: Duration) {
        self.log
            .lock()
            .unwrap()
            .push(format!("retry {}", self.name));
    }
}

/// What happens to messages of a key and a payload, processed as `answer` says.
async fn run(
    messages: &[(&str, &str)],
    batches: bool,
    answer: fn(&Delivery) -> Result<(), HandlerError>,
) -> Vec<String> {
    let log = Log::default();
    let stop = CancellationToken::new();
    let source = Script {
        messages: messages
            .iter()
            .map(|(key, payload)| keyed(key, payload, 1))
            .collect(),
        log: log.clone(),
        done: stop.clone(),
    };
    let process = service_fn(move |batch: Batch| async move {
        tokio::task::yield_now().await;
        let outcomes = batch.iter().map(|delivery| Outcome::from(answer(delivery)));
        Ok::<_, Infallible>(outcomes.collect())
    });
    let settings = Settings {
        batch_size: 10,
        ..Settings::default()
    };
    let driver = Driver::new(process, &settings, batches);
    driver.drive(source, stop).await.unwrap();
    log.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_a_message_that_goes_back_goes_back_too() {
    let log = run(
        &[("a", "bad"), ("b", "good"), ("a", "next")],
        false,
        |delivery| match name(delivery).as_str() {
            "bad" => Err(HandlerError::Retry(anyhow!("not yet"))),
            _ => Ok(()),
        },
    );
    let mut log = log.await;
    log.sort();
    assert_eq!(log, ["ack good", "retry bad", "retry next"]);
}

#[tokio::test(start_paused = true)]
async fn in_a_batch_a_message_holds_back_those_of_its_key_alone() {
    let log = run(
        &[("a", "bad"), ("a", "next"), ("b", "good")],
        true,
        |delivery| match name(delivery).as_str() {
            "bad" => Err(HandlerError::Retry(anyhow!("not yet"))),
            _ => Ok(()),
        },
    );
    assert_eq!(log.await, ["retry bad", "retry next", "ack good"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_unavailable_is_kept_until_it_works() {
    let log = run(&[("a", "away")], false, |delivery| {
        if delivery.attempt() < 50 {
            return Err(HandlerError::Unavailable(anyhow!("away")));
        }
        assert_eq!(delivery.counted_attempts(), 1);
        Ok(())
    });
    assert_eq!(log.await, ["ack away"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_that_no_layer_caught_is_not_the_end() {
    let log = run(&[("a", "bad"), ("b", "good")], false, |delivery| {
        assert_ne!(name(delivery), "bad", "as the test wants");
        Ok(())
    });
    assert!(log.await.contains(&"ack good".to_owned()));
}
