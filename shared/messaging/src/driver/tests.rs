use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Mutex;

use anyhow::anyhow;
use tower::service_fn;

use super::*;
use crate::stack::Batch;
use crate::testing::keyed;

/// What was done about a message, by its payload.
type Log = Arc<Mutex<Vec<String>>>;

/// Gives messages one by one, and then no more.
struct Script {
    messages: VecDeque<Delivery>,
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
        let Some(next) = self.messages.pop_front() else {
            self.done.cancel();
            return std::future::pending().await;
        };
        let (name, log) = (name(&next), self.log.clone());
        log.lock().unwrap().push(format!("receive {name}"));
        Ok(vec![(next, Noted { name, log })])
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
    let mut settings = Settings::default();
    settings.batch_size = 10;
    let driver = Driver::new(process, &settings, batches);
    driver.drive(source, stop).await.unwrap();
    let log = log.lock().unwrap().clone();
    log.into_iter()
        .filter(|line| !line.starts_with("receive"))
        .collect()
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
    let log = log.await;
    assert!(log.contains(&"retry bad".to_owned()) && log.contains(&"ack good".to_owned()));
    assert!(!log.contains(&"ack next".to_owned()), "{log:?}");
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
    let log = log.await;
    assert!(log.contains(&"ack good".to_owned()), "{log:?}");
    assert!(log.contains(&"retry bad".to_owned()), "{log:?}");
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
    // The script ends, and what is kept then is given back, unless it got through before.
    assert!(log.await.iter().all(|line| line == "ack away"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_that_no_layer_caught_is_not_the_end() {
    let log = run(&[("a", "bad"), ("b", "good")], false, |delivery| {
        assert_ne!(name(delivery), "bad", "as the test wants");
        Ok(())
    });
    assert!(log.await.contains(&"ack good".to_owned()));
}
