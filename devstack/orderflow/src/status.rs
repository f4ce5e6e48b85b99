//! `orderflow status`: every part, how it is doing, and what the services say about themselves.
//! And the experiments: `stop`, `start`, `pause` and `resume` of one part.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use futures::future::join_all;

use crate::answers::{Readiness, Services, fault_notice};
use crate::control::{self, Run};
use crate::register::{PartStatus, State, Wish};
use crate::service::Service;
use crate::table;

const GOOD: Style = AnsiColor::Green.on_default();
const NOTABLE: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// As wide as the longest word for a state.
const STATE_WIDTH: usize = 8;

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Print each part as JSON, with its process and without what services answer, and exit with 0.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PartArgs {
    /// A service or a server, by the name that `orderflow status` shows.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(table::names()))]
    part: String,
}

/// Asks for one part to be stopped, started, paused or resumed, and says what became of it.
pub(crate) fn wish(dir: &Path, args: &PartArgs, wish: Wish) -> anyhow::Result<ExitCode> {
    let done = control::ask(dir, &args.part, wish)?;
    writeln!(anstream::stdout(), "{done}")?;
    Ok(ExitCode::SUCCESS)
}

/// One line of the table.
struct Line {
    part: PartStatus,
    /// Of a service that runs.
    readiness: Option<Readiness>,
}

/// Exit code 0 when every part runs and every service is ready.
pub(crate) async fn run(dir: &Path, args: StatusArgs) -> anyhow::Result<ExitCode> {
    let run = Run::of(dir)?;
    let mut out = anstream::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&run.parts)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for fault in &run.faults {
        writeln!(out, "{}", fault_notice(fault))?;
    }
    let lines = with_readiness(run).await;
    for line in &lines {
        writeln!(out, "{}", render(line))?;
    }
    let is_good = lines.iter().all(Line::is_good);
    Ok(ExitCode::from(u8::from(!is_good)))
}

async fn with_readiness(run: Run) -> Vec<Line> {
    let parts = run.parts.clone();
    let addresses = run.addresses.clone();
    let services = addresses.and_then(|addresses| Services::new(run, addresses));
    let lines = parts.into_iter().map(async |part| {
        let runs = matches!(part.state, State::Running | State::Starting);
        let service = Service::find(&part.name).filter(|_| runs);
        let readiness = match (service, &services) {
            (Some(service), Some(services)) => Some(services.readiness(service).await),
            _ => None,
        };
        Line { part, readiness }
    });
    join_all(lines).await
}

impl Line {
    fn is_good(&self) -> bool {
        let ready = self.readiness.as_ref();
        self.part.state == State::Running && ready.is_none_or(|ready| *ready == Readiness::Ready)
    }
}

fn render(Line { part, readiness }: &Line) -> String {
    let (style, state) = match part.state {
        State::Starting => (NOTABLE, "starting"),
        State::Running => (GOOD, "running"),
        State::Paused => (NOTABLE, "paused"),
        State::Stopping => (NOTABLE, "stopping"),
        State::Stopped => (NOTABLE, "stopped"),
        State::Waiting => (BAD, "died"),
        State::GivenUp => (BAD, "given up"),
    };
    let restarts = match part.restarts {
        0 => None,
        1 => Some("started again once".to_owned()),
        times => Some(format!("started again {times} times")),
    };
    let end = part.last_end.as_ref().map(|end| format!("last end: {end}"));
    let facts = [readiness.as_ref().map(ToString::to_string), restarts, end];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    let (name, room) = (&part.name, STATE_WIDTH - state.len());
    let line = format!("{name:<10}  {style}{state}{style:#}");
    if facts.is_empty() {
        line
    } else {
        format!("{line}{:room$}  {}", "", facts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(state: State, restarts: u32, readiness: Option<Readiness>) -> Line {
        let part = PartStatus {
            name: "orders".to_owned(),
            state,
            pid: None,
            restarts,
            last_end: (restarts > 0).then(|| "signal: 9 (SIGKILL)".to_owned()),
        };
        Line { part, readiness }
    }

    fn plain(line: &Line) -> String {
        anstream::adapter::strip_str(&render(line)).to_string()
    }

    #[test]
    fn a_line_says_how_a_part_is_doing_and_what_it_answers() {
        let ready = line(State::Running, 0, Some(Readiness::Ready));
        assert_eq!(plain(&ready), "orders      running   ready");
        let again = line(
            State::Running,
            2,
            Some(Readiness::Without(vec!["kafka".into()])),
        );
        assert_eq!(
            plain(&again),
            "orders      running   ready, but kafka is away; started again 2 times; last end: signal: 9 (SIGKILL)"
        );
        assert_eq!(plain(&line(State::Paused, 0, None)), "orders      paused");
    }

    #[test]
    fn only_a_part_that_runs_and_is_ready_is_good() {
        assert!(line(State::Running, 1, Some(Readiness::Ready)).is_good());
        assert!(line(State::Running, 0, None).is_good());
        assert!(!line(State::Running, 0, Some(Readiness::Silent)).is_good());
        assert!(!line(State::Stopped, 0, None).is_good());
    }
}
