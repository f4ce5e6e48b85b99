//! The command line: its doc comments are its `--help`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::demo::DemoArgs;
use crate::dlq::DlqArgs;
use crate::parts::kafka;
use crate::register::Wish;
use crate::service::SERVICES;
use crate::status::{PartArgs, StatusArgs};
use crate::trace::TraceArgs;
use crate::traffic::TrafficArgs;
use crate::up::UpArgs;
use crate::{demo, dlq, down, env, status, trace, traffic, up};

/// Runs OrderFlow on this machine, without Docker, and shows what its traces look like.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// Folder of one stack: its data, its logs and what is running.
    #[arg(
        long,
        env = "ORDERFLOW_DIR",
        default_value = ".orderflow",
        global = true,
        value_name = "DIR"
    )]
    dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything and keep it until Ctrl-C; a part that dies is named and started again.
    ///
    /// PostgreSQL, Kafka, SQS, Pub/Sub, embeddings, mail and a trace store, all on 127.0.0.1, and the five services.
    /// `OTEL_*`, `RUST_LOG`, `MESSAGING_*` and `FAULT_*` of this environment reach the services; what leads to other
    /// servers does not, and one line says so.
    Up(UpArgs),
    /// Stop what runs in the folder, also what a killed command left behind.
    Down,
    /// Show every part: whether it runs, how often it was started again, and what the services answer on `/readyz`.
    ///
    /// Exit code 0 when every part runs and every service is ready.
    Status(StatusArgs),
    /// Stop one part of the running stack, in order, and leave it stopped.
    Stop(PartArgs),
    /// Start a part that was stopped or given up, on the same port and with the same data.
    Start(PartArgs),
    /// Freeze one part (SIGSTOP): its connections stay open, and nothing answers.
    Pause(PartArgs),
    /// Let a paused part go on (SIGCONT).
    Resume(PartArgs),
    /// Print the addresses of what is running, one NAME=value per line.
    ///
    /// To save as `.env`, or for a shell: `set -a; eval "$(orderflow env)"; set +a`.
    /// Exit code 0 only once everything is ready, so it can be waited for.
    Env {
        /// Print exactly what this service is started with, to run it from the editor against the rest.
        #[arg(value_parser = PossibleValuesParser::new(SERVICES.iter().map(|service| service.name)))]
        service: Option<String>,
    },
    /// Place orders as customers would, follow each to its end, and sum up.
    ///
    /// Most are ordinary, some ask for more than the stock, some look like fraud.
    /// Exit code 1 if an order did not end, a mail is missing or doubled, or a trace is not whole.
    Traffic(TrafficArgs),
    /// Show the linked trace of one order as a waterfall.
    Trace(TraceArgs),
    /// List, show and redrive dead letters: what was given up on Kafka, SQS and Pub/Sub.
    Dlq(DlqArgs),
    /// Start everything, send three orders and show the trace of one.
    Demo(DemoArgs),
    /// The process that the mock Kafka cluster lives in.
    #[command(hide = true)]
    Kafka,
}

/// Does what the command line asks for. The exit code is the command's verdict; an error is a reason to show.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Up(args) => up::run(&cli.dir, args).await,
        Command::Down => down::run(&cli.dir).await,
        Command::Status(args) => status::run(&cli.dir, args).await,
        Command::Stop(args) => status::wish(&cli.dir, &args, Wish::Stop),
        Command::Start(args) => status::wish(&cli.dir, &args, Wish::Start),
        Command::Pause(args) => status::wish(&cli.dir, &args, Wish::Pause),
        Command::Resume(args) => status::wish(&cli.dir, &args, Wish::Resume),
        Command::Env { service } => env::run(&cli.dir, service.as_deref()),
        Command::Traffic(args) => traffic::run(&cli.dir, args).await,
        Command::Trace(args) => trace::run(&cli.dir, args).await,
        Command::Dlq(args) => dlq::run(&cli.dir, args).await,
        Command::Demo(args) => demo::run(&cli.dir, args).await,
        Command::Kafka => kafka::host().await.map(|()| ExitCode::SUCCESS),
    }
}
