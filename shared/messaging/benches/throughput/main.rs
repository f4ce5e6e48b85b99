//! How many messages a second our consumers get through, beside the bare clients doing the same.
//!
//! Each run is a process of its own, because a subscriber and a propagator are set once per process, and has a topic,
//! queue or subscription of its own, filled before. The clock runs from the first message to the last.

mod kafka;
mod measure;
mod pubsub;
mod sqs;
mod table;

use std::io::Write as _;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use measure::{Measured, Mode};

/// A broker, the variable that says where it is, and how many messages make a run of some seconds.
struct Broker {
    name: &'static str,
    address: &'static str,
    messages: usize,
}

const BROKERS: [Broker; 3] = [
    Broker {
        name: "kafka",
        address: "KAFKA_BROKERS",
        // Ten times what librdkafka has fetched ahead when the clock starts; that part is no more than memory.
        messages: 1_000_000,
    },
    Broker {
        name: "sqs",
        address: "AWS_ENDPOINT_URL_SQS",
        messages: 20_000,
    },
    Broker {
        name: "pubsub",
        address: "PUBSUB_EMULATOR_HOST",
        messages: 20_000,
    },
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    if let ["measure", broker, address, name, messages, mode] = arguments[..] {
        let measured = measure(broker, address, name, messages.parse()?, mode.parse()?).await?;
        println!("{}", serde_json::to_string(&measured)?);
        return Ok(());
    }
    let rounds = setting("ROUNDS")?.unwrap_or(3);
    let mut rows = Vec::new();
    for broker in &BROKERS {
        match variable(broker.address) {
            Some(address) => rows.push(compare(broker, &address, rounds).await?),
            None => println!("{} is skipped: {} is not set", broker.name, broker.address),
        }
    }
    table::print(&rows);
    Ok(())
}

/// The three in turn, so that what else the machine does meanwhile falls on all of them.
async fn compare(broker: &Broker, address: &str, rounds: usize) -> anyhow::Result<table::Row> {
    let own = setting(&format!("MESSAGES_{}", broker.name.to_uppercase()))?;
    let messages = own.or(setting("MESSAGES")?).unwrap_or(broker.messages);
    let mut measured = Mode::ALL.map(|_| Vec::new());
    for round in 1..=rounds {
        for (mode, runs) in Mode::ALL.into_iter().zip(&mut measured) {
            let name = format!("throughput-{}-{round}-{mode}", std::process::id());
            fill(broker.name, address, &name, messages).await?;
            let run = measure_in_a_process(broker.name, address, &name, messages, mode)?;
            let rate = run.per_second(messages);
            println!("{} round {round} {mode}: {rate:.0} messages/s", broker.name);
            std::io::stdout().flush()?;
            runs.push(run);
        }
    }
    Ok(table::Row::new(broker.name, messages, &measured))
}

fn measure_in_a_process(
    broker: &str,
    address: &str,
    name: &str,
    messages: usize,
    mode: Mode,
) -> anyhow::Result<Measured> {
    let mut process = Command::new(std::env::current_exe()?);
    process
        .args(["measure", broker, address, name])
        .args([messages.to_string(), mode.to_string()])
        .stderr(std::process::Stdio::inherit());
    let output = process.output()?;
    ensure!(output.status.success(), "{mode} failed: {}", output.status);
    serde_json::from_slice(&output.stdout).context("it says what it measured")
}

async fn fill(broker: &str, address: &str, name: &str, messages: usize) -> anyhow::Result<()> {
    match broker {
        "kafka" => kafka::fill(address, name, messages).await,
        "sqs" => sqs::fill(address, name, messages).await,
        "pubsub" => pubsub::fill(address, name, messages).await,
        other => bail!("there is no broker {other}"),
    }
}

async fn measure(
    broker: &str,
    address: &str,
    name: &str,
    messages: usize,
    mode: Mode,
) -> anyhow::Result<Measured> {
    let _tracing = (mode == Mode::Traced).then(measure::trace);
    let count = measure::Count::up_to(messages);
    let ours = mode != Mode::Bare;
    let received = async {
        match (broker, ours) {
            ("kafka", false) => kafka::bare(address, name, &count).await,
            ("kafka", true) => kafka::ours(address, name, &count).await,
            ("sqs", false) => sqs::bare(address, name, &count).await,
            ("sqs", true) => sqs::ours(address, name, &count).await,
            ("pubsub", false) => pubsub::bare(address, name, &count).await,
            ("pubsub", true) => pubsub::ours(address, name, &count).await,
            (other, _) => bail!("there is no broker {other}"),
        }
    };
    tokio::time::timeout(measure::PATIENCE, received)
        .await
        .context("not all messages came in time")??;
    count.measured()
}

fn setting(name: &str) -> anyhow::Result<Option<usize>> {
    let value = variable(name).map(|value| value.parse());
    value
        .transpose()
        .with_context(|| format!("{name} is a number"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark has no command line of its own to take settings from"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
