//! Code and pictures in the chapters' texts: rendered from the steps, so that text and code cannot part.
//!
//! A marker stands above a fenced block, and says what is in it:
//!
//! | marker | block |
//! |---|---|
//! | `<!-- edit: <path> -->` | the difference that the chapter makes to a file |
//! | `<!-- tests -->` | the command that fetches the tests which hold from this chapter on |
//! | `<!-- waterfall: <step> -->` | what an order looks like on a step |

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::git::Git;
use crate::steps::{GUIDE, Step, Steps};
use crate::tree::is_test;

/// Where the texts are.
pub(crate) const TEXTS: &str = "docs/tutorial";
/// Where what the steps print is kept, a file for each.
const PICTURES: &str = "tutorial/seen";

/// What a remark below a span begins with.
const NOTE: char = '⇢';

/// The texts of all steps.
#[derive(Debug)]
pub(crate) struct Texts<'a> {
    git: &'a Git,
    steps: &'a Steps,
    /// The commits of the steps, in their order.
    commits: Vec<String>,
}

impl<'a> Texts<'a> {
    pub(crate) fn new(git: &'a Git, steps: &'a Steps) -> anyhow::Result<Self> {
        let commits = steps.write_commits(git)?;
        Ok(Self {
            git,
            steps,
            commits,
        })
    }

    /// The commits of the steps, in their order.
    pub(crate) fn commits(&self) -> &[String] {
        &self.commits
    }

    /// Renders all texts, and writes them if `write`; answers with what is wrong: those that were not up to date, and those
    /// that cannot be rendered.
    pub(crate) fn render(&self, write: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        for (at, step) in self.steps.list.iter().enumerate() {
            let path = text_of(&self.git.root, &step.name);
            match self.render_text(at, step, &path, write) {
                Ok(true) => {}
                Ok(false) => wrong.push(format!("{} is not up to date", path.display())),
                Err(error) => wrong.push(format!("{}: {error:#}", path.display())),
            }
        }
        wrong
    }

    /// Whether it was up to date, or is now.
    fn render_text(
        &self,
        at: usize,
        step: &Step,
        path: &Path,
        write: bool,
    ) -> anyhow::Result<bool> {
        let old = std::fs::read_to_string(path).context("there is no such text")?;
        let new = self.rendered(at, step, &old)?;
        if write && new != old {
            std::fs::write(path, &new)?;
        }
        Ok(write || new == old)
    }

    fn rendered(&self, at: usize, step: &Step, old: &str) -> anyhow::Result<String> {
        let mut edits = self.edits(at)?;
        let tests = self.tests(at, step)?;
        let mut needs_tests = tests.is_some();
        let mut new = String::with_capacity(old.len());
        let mut lines = old.lines();
        while let Some(line) = lines.next() {
            let _ = writeln!(new, "{line}");
            let Some(marker) = marker(line) else {
                continue;
            };
            let block = match marker.split_once(": ") {
                Some(("edit", path)) => {
                    let edit = edits.remove(path);
                    edit.with_context(|| format!("it shows an edit of {path} once too often: the chapter does not change it"))?
                }
                Some(("waterfall", name)) => self.picture(name)?,
                None if marker == "tests" => {
                    needs_tests = false;
                    tests
                        .clone()
                        .context("it fetches tests, and there are none that begin to hold")?
                }
                _ => continue,
            };
            skip_block(&mut lines, line, &block, &mut new)?;
        }
        if let Some(path) = edits.keys().next() {
            bail!("it does not show the edit of {path}");
        }
        ensure!(!needs_tests, "it does not fetch the tests: {tests:?}");
        Ok(new)
    }

    /// What the chapter changes, by the paths of the files: tests apart, which are fetched.
    fn edits(&self, at: usize) -> anyhow::Result<BTreeMap<String, String>> {
        let Some(before) = at.checked_sub(1) else {
            return Ok(BTreeMap::new());
        };
        let (before, after) = (&self.commits[before], &self.commits[at]);
        let listed = self.git.ask(&["diff", "--name-only", before, after])?;
        let paths = listed
            .lines()
            .filter(|path| *path != GUIDE && !is_test(path));
        paths
            .map(|path| {
                let arguments = [
                    "diff",
                    "--no-color",
                    "--unified=3",
                    before,
                    after,
                    "--",
                    path,
                ];
                let diff = self.git.ask(&arguments)?;
                // Without the lines that only a program reads.
                let hunks = diff.find("\n@@").map_or("", |begin| &diff[begin + 1..]);
                Ok((path.to_owned(), hunks.to_owned()))
            })
            .collect()
    }

    fn tests(&self, at: usize, step: &Step) -> anyhow::Result<Option<String>> {
        let Some(before) = at.checked_sub(1) else {
            return Ok(None);
        };
        let (before, after) = (&self.commits[before], &self.commits[at]);
        let listed = self.git.ask(&["diff", "--name-only", before, after])?;
        let tests: Vec<_> = listed.lines().filter(|path| is_test(path)).collect();
        if tests.is_empty() {
            return Ok(None);
        }
        Ok(Some(format!(
            "git checkout {} -- \\\n    {}",
            step.name,
            tests.join(" \\\n    ")
        )))
    }

    fn picture(&self, step: &str) -> anyhow::Result<String> {
        let path = picture_of(&self.git.root, step);
        let picture = std::fs::read_to_string(&path);
        let picture = picture.with_context(|| format!("there is no {}", path.display()))?;
        Ok(picture.trim_end().to_owned())
    }
}

/// The text of the chapter that leads to a step.
pub(crate) fn text_of(root: &Path, step: &str) -> PathBuf {
    root.join(TEXTS).join(format!("{step}.md"))
}

/// Where it is kept what a step prints.
pub(crate) fn picture_of(root: &Path, step: &str) -> PathBuf {
    root.join(PICTURES).join(format!("{step}.txt"))
}

/// What a marker says, if `line` is one.
pub(crate) fn marker(line: &str) -> Option<&str> {
    line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")
}

/// Puts `block` in the place of what is in the next fenced block.
fn skip_block<'l>(
    lines: &mut impl Iterator<Item = &'l str>,
    marker: &str,
    block: &str,
    new: &mut String,
) -> anyhow::Result<()> {
    let fence = lines.next().unwrap_or_default();
    ensure!(fence.starts_with("```"), "no block follows {marker}");
    ensure!(
        lines.any(|line| line == "```"),
        "the block below {marker} has no end"
    );
    let _ = writeln!(new, "{fence}\n{block}\n```");
    Ok(())
}

/// The picture of an order in what `orderflow demo` printed, without what differs from run to run.
pub(crate) fn picture(printed: &str) -> String {
    let mut pictures = Vec::new();
    let mut lines = printed.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        if line.starts_with("trace ") {
            let rows = lines.by_ref().skip(1).take_while(|line| !line.is_empty());
            // Which messages a client happened to receive together differs from run to run.
            let rows = rows.filter(|line| !line.contains(NOTE));
            pictures.push(table(&rows.map(row).collect::<Vec<_>>()));
        } else if line.starts_with("there is no span") {
            pictures.push(line.to_owned());
        }
    }
    pictures.join("\n\n")
}

/// The name in its place in the tree, the service and the kind of a row.
fn row(line: &str) -> [String; 3] {
    let mut cells = line
        .split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty());
    // The indentation of the tree is part of the name.
    let indent: String = line.chars().take_while(|c| " │├└".contains(*c)).collect();
    let name = cells.find(|cell| cell.chars().any(char::is_alphanumeric));
    let name = name
        .unwrap_or_default()
        .trim_start_matches(|c| " │├└".contains(c));
    let [service, kind] = [(); 2].map(|()| cells.next().unwrap_or_default().to_owned());
    [format!("{indent}{name}"), service, kind]
}

fn table(rows: &[[String; 3]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let [name, service] = [0, 1].map(|column| width(column).unwrap_or_default());
    let lines = rows.iter().map(|row| {
        let line = format!("{:<name$}  {:<service$}  {}", row[0], row[1], row[2]);
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
ready

trace 8c947756dba33886de30ddcfacc07bae  3 spans, 2 services, 17.3 ms
span                         service     kind      queued   start     took       17.3 ms
POST /orders                 gateway     SERVER             0.00 ms   17.3 ms  ━━━━━━
├ POST                       gateway     CLIENT             0.26 ms   16.6 ms  ╺━━━━╸
│ │ ⇢ linked from classifier receive order.created
│ └ process order.created ⇠  classifier  CONSUMER  14.7 ms  4.57 ms   10.0 ms     ╺━

open  orders  http://127.0.0.1:8080/orders
";

    #[test]
    fn a_picture_has_nothing_that_differs_from_run_to_run() {
        let seen = "\
POST /orders                 gateway     SERVER
├ POST                       gateway     CLIENT
│ └ process order.created ⇠  classifier  CONSUMER";
        assert_eq!(picture(PRINTED), seen);
    }

    #[test]
    fn a_step_without_spans_says_so() {
        let printed = "\nthere is no span: nothing in the services makes any\n";
        assert_eq!(picture(printed), printed.trim());
    }
}
