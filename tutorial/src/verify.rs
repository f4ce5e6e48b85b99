//! `make test-tutorial`: each step is built, tested and run, and held against what its chapter promises.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Args;

use crate::git::Git;
use crate::order::EndedOrder;
use crate::render::{Texts, picture, picture_of};
use crate::steps::{BASE, GUIDE, Step, Steps};
use crate::tested::{Tested, made_of};
use crate::tree::is_test;
use crate::{follow, links};

/// How much a chapter may ask of its reader.
const MOST_LINES: usize = 200;
const MOST_FILES: usize = 12;

/// What runs on each step.
const PROGRAMS: [&str; 6] = [
    "gateway",
    "orders",
    "inventory",
    "classifier",
    "email",
    "orderflow",
];
/// The packages that the chapters change, and that have tests which need nothing else.
const TESTED: [&str; 9] = [
    "telemetry",
    "otel-carriers",
    "otel-messaging",
    "brokers",
    "web",
    "story",
    "orders",
    "classifier",
    "email",
];

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Only these steps.
    steps: Vec<String>,
    /// Keep what the steps print as the pictures of the texts.
    #[arg(long)]
    update: bool,
    /// Pass over the steps that were tested with what they are made of now.
    #[arg(long)]
    if_changed: bool,
    /// Look at texts, sizes and rules alone; build nothing.
    #[arg(long)]
    quick: bool,
}

pub(crate) async fn run(git: &Git, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let steps = Steps::derive(git, "HEAD")?;
    let texts = Texts::new(git, &steps)?;
    let mut faults = Vec::new();
    sizes(git, texts.commits(), &steps, &mut faults)?;
    let mut tested = Tested::read(&git.root);
    let mut site = None;
    for (step, commit) in steps.list.iter().zip(texts.commits()) {
        let is_wanted = args.steps.is_empty() || args.steps.contains(&step.name);
        let id = || made_of(git, &step.name, commit);
        if args.quick || !is_wanted || args.if_changed && tested.has(&step.name, &id()?) {
            continue;
        }
        let (begun, before) = (Instant::now(), faults.len());
        if site.is_none() {
            site = Some(Site::new(git)?);
        }
        let site = site.as_ref().context("it was made just now")?;
        site.verify(git, step, commit, args.update, &mut faults)
            .await?;
        println!("{}: {} s", step.name, begun.elapsed().as_secs());
        if faults.len() == before {
            tested.keep(&step.name, id()?)?;
        }
    }
    faults.extend(texts.render(args.update));
    faults.extend(follow::faults(&git.root, &steps));
    faults.extend(links::faults(&git.root)?);
    for fault in &faults {
        eprintln!("FAILED {fault}");
    }
    println!(
        "tutorial: {} steps, {} faults",
        steps.list.len(),
        faults.len()
    );
    Ok(ExitCode::from(u8::from(!faults.is_empty())))
}

/// The budget of lines and files.
fn sizes(
    git: &Git,
    commits: &[String],
    steps: &Steps,
    faults: &mut Vec<String>,
) -> anyhow::Result<()> {
    for (pair, step) in commits.windows(2).zip(&steps.list[1..]) {
        let counted = git.ask(&["diff", "--numstat", &pair[0], &pair[1]])?;
        let (mut lines, mut files) = (0, 0);
        for row in counted.lines() {
            let mut cells = row.split('\t');
            let changed: usize = cells
                .by_ref()
                .take(2)
                .filter_map(|count| count.parse::<usize>().ok())
                .sum();
            let path = cells.next().context("git names the file")?;
            if path != GUIDE && !is_test(path) {
                lines += changed;
                files += 1;
            }
        }
        if lines > MOST_LINES || files > MOST_FILES {
            faults.push(format!(
                "{}: {lines} lines in {files} files; a chapter may have {MOST_LINES} in {MOST_FILES}",
                step.name
            ));
        }
    }
    Ok(())
}

/// Where steps are checked out and built.
struct Site {
    git: Git,
    checkout: PathBuf,
    target: PathBuf,
    /// Two at once would check out different steps in one folder.
    _lock: File,
}

impl Site {
    /// A worktree beside what is built of it; the checkout of whoever runs this is left alone.
    fn new(git: &Git) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let target = program
            .ancestors()
            .nth(2)
            .context("a program is in target/<profile>")?;
        let folder = target.join("tutorial");
        std::fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        let taken = lock.try_lock();
        taken.context("the steps are being tested already, by another process")?;
        let site = Self {
            git: git.clone(),
            checkout: folder.join("checkout"),
            target: folder.join("target"),
            _lock: lock,
        };
        // What a run left behind that was killed, perhaps one of another clone with the same target folder.
        if site.checkout.exists() {
            std::fs::remove_dir_all(&site.checkout)?;
        }
        git.ask(&["worktree", "prune"])?;
        let path = site.checkout.to_string_lossy();
        git.ask(&["worktree", "add", "--quiet", "--detach", &path, "HEAD"])?;
        share_dependencies(&target.join("debug"), &site.target.join("debug"))?;
        Ok(site)
    }

    async fn verify(
        &self,
        git: &Git,
        step: &Step,
        commit: &str,
        update: bool,
        faults: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let at = Git::of(&self.checkout)?;
        at.ask(&["checkout", "--quiet", "--force", "--detach", commit])?;
        let mut fault = |what: String| faults.push(format!("{}: {what}", step.name));
        let mut arguments = vec!["build"];
        if step.name == BASE {
            // It has the least: what builds there of the rest of the repository builds on all others.
            arguments.push("--workspace");
        }
        arguments.extend(PROGRAMS.iter().flat_map(|package| ["--package", package]));
        let built = self.cargo(&arguments)?;
        if !built.is_ok {
            fault(format!(
                "it does not build; what the next chapter brings is perhaps not undone:\n{}",
                built.said
            ));
            return Ok(());
        }
        if let Some(warning) = built
            .said
            .lines()
            .find(|line| line.starts_with("warning: "))
        {
            fault(format!("it builds with a {warning}"));
        }
        let mut test = vec!["test", "--lib", "--test", "spans", "--quiet"];
        test.extend(TESTED.iter().flat_map(|package| ["--package", package]));
        let tested = self.cargo(&test)?;
        if !tested.is_ok {
            fault(format!("its tests fail:\n{}", tail(&tested.said)));
        }
        self.run_order(step, &mut fault).await?;
        self.run_demo(git, step, update, &mut fault)
    }

    /// An order keeps the promises of all chapters up to this one, and breaks the next.
    async fn run_order(&self, step: &Step, fault: &mut impl FnMut(String)) -> anyhow::Result<()> {
        let order = EndedOrder::place(Some(&self.program())).await?;
        let finished = step.number();
        if let Some(missing) = order.missing(finished).await?.first() {
            fault(format!("{missing}"));
        }
        let next = step.next_promise();
        if let Some(next) = next {
            match order.missing(next).await?.first() {
                None => fault(format!("it keeps the promise of chapter {next} already")),
                Some(missing) if missing.chapter != next => {
                    fault(format!(
                        "chapter {next} should be missed first, not {}: {missing}",
                        missing.chapter
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn run_demo(
        &self,
        git: &Git,
        step: &Step,
        update: bool,
        fault: &mut impl FnMut(String),
    ) -> anyhow::Result<()> {
        let folder = self.checkout.join(".orderflow");
        let mut demo = Command::new(self.program());
        demo.args(["demo", "--once", "--free-ports", "--dir"])
            .arg(&folder);
        let output = demo
            .current_dir(&self.checkout)
            .output()
            .context("orderflow demo")?;
        let printed =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            fault(format!(
                "`orderflow demo --once` ends with {}:\n{}",
                output.status,
                tail(&printed)
            ));
        }
        let seen = picture(&printed);
        let path = picture_of(&git.root, &step.name);
        if update {
            std::fs::create_dir_all(path.parent().context("it is in a folder")?)?;
            std::fs::write(&path, seen + "\n")?;
            return Ok(());
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        if sorted(&kept) != sorted(&seen) {
            fault(format!(
                "it prints another picture than the text has:\n{seen}"
            ));
        }
        Ok(())
    }

    fn program(&self) -> PathBuf {
        self.target.join("debug/orderflow")
    }

    fn cargo(&self, arguments: &[&str]) -> anyhow::Result<Said> {
        let mut cargo = Command::new("cargo");
        cargo.args(arguments).current_dir(&self.checkout);
        cargo.env("CARGO_TARGET_DIR", &self.target);
        // The steps come one after the other: what would be kept for the next build of the same is never used.
        cargo.env("CARGO_INCREMENTAL", "0");
        let output = cargo.output().context("running cargo")?;
        let said = [output.stdout, output.stderr].concat();
        Ok(Said {
            is_ok: output.status.success(),
            said: String::from_utf8_lossy(&said).into_owned(),
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let path = self.checkout.to_string_lossy();
        let removed = self.git.ask(&["worktree", "remove", "--force", &path]);
        if let Err(error) = removed {
            eprintln!("{path} is left behind: {error:#}");
        }
    }
}

struct Said {
    is_ok: bool,
    said: String,
}

fn tail(said: &str) -> String {
    let lines: Vec<_> = said.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// Each row with those that it hangs under: what begins at the same time may stand in either order.
fn sorted(picture: &str) -> Vec<String> {
    let mut above: Vec<&str> = Vec::new();
    let mut rows = Vec::new();
    for row in picture.lines() {
        let span = row.trim_start_matches(|c| " │├└".contains(c));
        let indent = row.chars().count() - span.chars().count();
        above.truncate(indent / 2);
        above.push(span);
        let path = above
            .iter()
            .map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "));
        rows.push(path.collect::<Vec<_>>().join(" > "));
    }
    rows.sort_unstable();
    rows
}

/// What others have written is compiled once for main and the steps: the same files stand in both folders.
fn share_dependencies(from: &Path, to: &Path) -> anyhow::Result<()> {
    if to.exists() || !from.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(to)?;
    for folder in [".fingerprint", "build", "deps"] {
        let copied = Command::new("cp")
            .args(["--archive", "--link"])
            .arg(from.join(folder))
            .arg(to)
            .status();
        ensure!(copied.context("running cp")?.success(), "cp has failed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_may_stand_in_either_order_and_no_span_under_another() {
        let picture = "a  x\n├ b  y\n│ └ c  z\n└ d  z";
        let swapped = "a  x\n├ d  z\n└ b  y\n  └ c  z";
        let moved = "a  x\n├ b  y\n└ d  z\n  └ c  z";
        assert_eq!(sorted(picture), sorted(swapped));
        assert_ne!(sorted(picture), sorted(moved));
    }
}
