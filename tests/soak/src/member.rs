//! A member of the group: the consumer of `otel-messaging`, with a handler that tells of each of its calls.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use otel_messaging::kafka::Client;
use otel_messaging::{Delivery, Handler, HandlerError, Settings, stack};
use rdkafka::ClientConfig;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::calls::{Line, Outcome, now};
use crate::record::Record;

/// The shortest that Kafka takes by default: the partitions of a member that was killed wait so long for the other.
const SESSION_TIMEOUT_MS: &str = "6000";
const LONGEST_CALL_MS: u64 = 20;
/// One call in so many asks for another attempt.
const RETRIES: u32 = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    pub(crate) brokers: String,
    #[arg(long)]
    pub(crate) topic: String,
    #[arg(long)]
    pub(crate) group: String,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    // Retries are part of the plan.
    let default = EnvFilter::new("warn,otel_messaging::driver=error");
    let filter = EnvFilter::try_from_default_env().unwrap_or(default);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    std::thread::spawn(end_with_parent);
    let mut terminated = signal(SignalKind::terminate())?;

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.brokers);
    config.set("session.timeout.ms", SESSION_TIMEOUT_MS);
    let mut settings = Settings::default();
    settings.concurrency = 8;
    let consumer = Client::new(config)
        .consumer(&[&args.topic], &args.group, &settings)
        .await?;
    let shutdown = CancellationToken::new();
    let receiving = consumer.run(stack::handle(Work), shutdown.clone());
    let mut receiving = std::pin::pin!(receiving);
    tokio::select! {
        ended = &mut receiving => ended?,
        _ = terminated.recv() => {
            shutdown.cancel();
            receiving.await?;
        }
    }
    Ok(())
}

/// Standard input ends when the parent does, however that happens.
fn end_with_parent() {
    std::io::stdin().read_exact(&mut [0]).ok();
    std::process::exit(1);
}

struct Work;

impl Handler for Work {
    type Event = Record;

    async fn handle(&self, record: Record, delivery: &Delivery) -> Result<(), HandlerError> {
        let mut call = Told::begin(record, delivery.attempt());
        sleep(Duration::from_millis(fastrand::u64(..=LONGEST_CALL_MS))).await;
        if fastrand::u32(..RETRIES) == 0 {
            call.outcome = Outcome::Retry;
            return Err(HandlerError::Retry(anyhow!("one call in {RETRIES} fails")));
        }
        call.outcome = Outcome::Processed;
        Ok(())
    }
}

/// A call whose end is told when it is dropped: so also when the consumer drops it.
struct Told {
    call: u64,
    outcome: Outcome,
}

impl Told {
    fn begin(record: Record, attempt: u32) -> Self {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        tell(&Line::Begin {
            call,
            record,
            attempt,
            at: now(),
        });
        Self {
            call,
            outcome: Outcome::Aborted,
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let (call, outcome) = (self.call, self.outcome);
        tell(&Line::End {
            call,
            outcome,
            at: now(),
        });
    }
}

/// One write for a line, which a pipe takes whole or not at all when the process is killed.
fn tell(line: &Line) {
    let mut text = serde_json::to_string(line).expect("it has no keys but strings");
    text.push('\n');
    // Without a parent nobody listens, and `end_with_parent` acts.
    std::io::stdout().lock().write_all(text.as_bytes()).ok();
}
