//! The tutorial: its branches, derived from main by undoing one chapter after the other.

mod chapter;
mod git;
mod source;
mod steps;
mod sweep;
mod tree;
mod undo;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::git::Git;
use crate::steps::{BASE, Steps};

/// Makes the branches of the tutorial from the commit that is checked out.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make the branches `00-uninstrumented` to `13-keep-it`, or bring them up to date.
    Branches,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let git = Git::of(Path::new("."))?;
    match args.command {
        What::Branches => branches(&git),
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
            "not touched: {branch} has work of yours. To have it made anew, rename yours first: git branch -m {branch} my-{branch}"
        );
    }
    Ok(ExitCode::FAILURE)
}
