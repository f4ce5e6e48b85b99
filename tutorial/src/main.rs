//! The tutorial: its branches, derived from main by undoing one chapter after the other.

mod chapter;
mod check;
mod follow;
mod git;
mod imports;
mod left_behind;
mod links;
mod names;
mod order;
mod render;
mod source;
mod steps;
mod sweep;
mod tested;
mod tree;
mod undo;
mod verify;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::git::Git;
use crate::render::Texts;
use crate::steps::{BASE, Steps};

/// The tutorial's branches: made, checked by a learner, and tested.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make the branches `00-uninstrumented` to `13-keep-it` from the commit that is checked out, or bring them up to date.
    Branches,
    /// Say whether the next chapter is finished, by an order that is placed on what is built.
    Check {
        /// Another chapter than the next, by its number.
        #[arg(long, env = "CHAPTER")]
        chapter: Option<u8>,
    },
    /// Write code and pictures into the chapters' texts.
    Render,
    /// Build, test and run each step, and hold it against what its chapter promises.
    Verify(verify::VerifyArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let git = Git::of(Path::new("."))?;
    match args.command {
        What::Branches => branches(&git),
        What::Check { chapter } => check::check(&git.root, chapter).await,
        What::Render => render(&git),
        What::Verify(args) => verify::run(&git, &args).await,
    }
}

fn branches(git: &Git) -> anyhow::Result<ExitCode> {
    let steps = Steps::derive(git, "HEAD")?;
    let kept = steps.write_branches(git)?;
    for step in &steps.list {
        println!("  {:<24} {}", step.name, step.joins);
    }
    if kept.is_empty() {
        println!("\nbegin with: git checkout {BASE}, and open TUTORIAL.md");
        return Ok(ExitCode::SUCCESS);
    }
    for branch in kept {
        eprintln!(
            "not touched: {branch} has work of yours, or is checked out. To have it made anew, rename it first: git branch -m {branch} my-{branch}"
        );
    }
    Ok(ExitCode::FAILURE)
}

fn render(git: &Git) -> anyhow::Result<ExitCode> {
    let steps = Steps::derive(git, "HEAD")?;
    let wrong = Texts::new(git, &steps)?.render(true);
    for what in &wrong {
        eprintln!("{what}");
    }
    Ok(ExitCode::from(u8::from(!wrong.is_empty())))
}
