//! The parent: load, members that come and go, and the judgement.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::calls::{Call, Outcome};
use crate::judge::{Verdict, judge, processed_again};
use crate::load;
use crate::member;
use crate::processes::Process;
use crate::topic::Topic;

const PARTITIONS: i32 = 6;
const KEYS: usize = 50;
/// The longest time from one start, stop or kill to the next.
const LONGEST_PEACE_MS: u64 = 8000;
/// How long the members may take for what is left when nobody is killed any more.
const CATCH_UP_WITHIN: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kafka's bootstrap servers, as host:port, several with commas.
    #[arg(long, env = "KAFKA_BROKERS")]
    brokers: String,

    /// How long members are killed and started.
    #[arg(long, env = "SOAK_SECONDS", default_value_t = 600)]
    seconds: u64,

    /// Records that are sent each second.
    #[arg(long, default_value_t = 500)]
    rate: usize,

    /// Decides who is killed and started when; random unless given.
    #[arg(long)]
    seed: Option<u64>,
}

/// The members, each in its place or missing, and what those did that are gone.
struct Members {
    args: member::Args,
    began: Instant,
    places: [Option<Process>; 2],
    started: usize,
    killed: usize,
    calls: Vec<Call>,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let name = format!("soak-{}", std::process::id());
    println!("topic and group {name}, --seed {seed}");
    let topic = Topic::create(&args.brokers, &name, &name, PARTITIONS).await?;
    let stop = CancellationToken::new();
    let mut sending = JoinSet::new();
    let (brokers, to, until) = (args.brokers.clone(), name.clone(), stop.clone());
    sending.spawn(load::send(brokers, to, KEYS, args.rate, until));

    let mut members = Members::new(member::Args {
        brokers: args.brokers,
        topic: name.clone(),
        group: name,
    });
    let mut random = fastrand::Rng::with_seed(seed);
    members
        .disturb(Duration::from_secs(args.seconds), &mut random)
        .await?;
    stop.cancel();
    let sent = sending.join_next().await.context("it was spawned")???;
    members.start_missing()?;
    members.say("nobody is killed any more");
    members.wait_until_committed(&topic).await?;
    members.stop_all().await?;
    let progress = topic.progress().await?;
    members.sum_up(&sent);
    Ok(tell(&judge(
        &sent,
        &members.calls,
        &progress,
        members.killed,
    )))
}

impl Members {
    fn new(args: member::Args) -> Self {
        Self {
            args,
            began: Instant::now(),
            places: [None, None],
            started: 0,
            killed: 0,
            calls: Vec::new(),
        }
    }

    async fn disturb(
        &mut self,
        how_long: Duration,
        random: &mut fastrand::Rng,
    ) -> anyhow::Result<()> {
        self.start_missing()?;
        while self.began.elapsed() < how_long {
            sleep(Duration::from_millis(random.u64(..LONGEST_PEACE_MS))).await;
            let place = random.usize(..self.places.len());
            let gently = random.u8(..4) == 0;
            match self.places[place].take() {
                None => self.start(place)?,
                Some(member) if gently => {
                    self.say(&format!("place {place}: SIGTERM"));
                    self.calls.extend(member.stop().await?);
                }
                Some(member) => {
                    self.say(&format!("place {place}: SIGKILL"));
                    self.killed += 1;
                    self.calls.extend(member.kill().await?);
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, place: usize) -> anyhow::Result<()> {
        self.started += 1;
        self.say(&format!("place {place}: start of member {}", self.started));
        self.places[place] = Some(Process::start(self.started, &self.args)?);
        Ok(())
    }

    fn start_missing(&mut self) -> anyhow::Result<()> {
        for place in 0..self.places.len() {
            if self.places[place].is_none() {
                self.start(place)?;
            }
        }
        Ok(())
    }

    /// What is still uncommitted after this is for the judge.
    async fn wait_until_committed(&self, topic: &Topic) -> anyhow::Result<()> {
        let deadline = Instant::now() + CATCH_UP_WITHIN;
        while Instant::now() < deadline {
            let progress = topic.progress().await?;
            let lag: i64 = progress.iter().map(|at| at.end - at.committed).sum();
            self.say(&format!("{lag} records are not committed"));
            if lag == 0 {
                break;
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn stop_all(&mut self) -> anyhow::Result<()> {
        for place in &mut self.places {
            if let Some(member) = place.take() {
                self.calls.extend(member.stop().await?);
            }
        }
        Ok(())
    }

    fn say(&self, what: &str) {
        println!("{:6.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    fn sum_up(&self, sent: &[usize]) {
        let records: usize = sent.iter().sum();
        let count = |outcome| {
            self.calls
                .iter()
                .filter(|call| call.outcome == outcome)
                .count()
        };
        println!();
        for (count, what) in [
            (self.started, "members started"),
            (self.killed, "of them killed"),
            (records, "records sent"),
            (self.calls.len(), "calls of the handler"),
            (processed_again(&self.calls), "processed again"),
            (count(Outcome::Retry), "asked for another attempt"),
            (count(Outcome::Killed), "ended by a kill"),
            (count(Outcome::Aborted), "dropped by the consumer"),
        ] {
            println!("{count:9}  {what}");
        }
        println!();
    }
}

fn tell(verdicts: &[Verdict]) -> ExitCode {
    for verdict in verdicts {
        let state = match verdict.violations.len() {
            0 => "ok".to_owned(),
            broken => format!("{broken} times not"),
        };
        println!("{:38} {state}", verdict.rule);
    }
    let first = verdicts
        .iter()
        .flat_map(|verdict| &verdict.violations)
        .next();
    match first {
        None => ExitCode::SUCCESS,
        Some(first) => {
            println!("\nthe first violation: {first}");
            ExitCode::FAILURE
        }
    }
}
