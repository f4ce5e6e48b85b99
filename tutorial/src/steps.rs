//! The steps of the tutorial, from the first to the last, and the branches that they become.

use anyhow::{Context, bail};

use crate::chapter::{Chapter, number};
use crate::git::Git;
use crate::names::Reader;
use crate::tree::Tree;
use crate::undo::undo;

/// The step that all chapters lead away from.
pub(crate) const BASE: &str = "00-uninstrumented";
/// The last chapter that shows in the spans of an order.
const LAST_PROMISE: u8 = 11;
/// Says at the root of each step where one is.
pub(crate) const GUIDE: &str = "TUTORIAL.md";
/// Where the chapters are described.
pub(crate) const FOLDER: &str = "tutorial";

/// A step: what a branch has when its chapter is finished.
#[derive(Debug)]
pub(crate) struct Step {
    /// The name of its branch.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) joins: String,
    pub(crate) tree: Tree,
}

impl Step {
    /// What its name begins with.
    pub(crate) fn number(&self) -> u8 {
        number(&self.name)
    }

    /// The next chapter that an order shows something of; the last one brings a test.
    pub(crate) fn next_promise(&self) -> Option<u8> {
        Some(self.number() + 1).filter(|next| *next <= LAST_PROMISE)
    }
}

#[derive(Debug)]
pub(crate) struct Steps {
    /// The commit that they are derived from.
    pub(crate) from: String,
    pub(crate) list: Vec<Step>,
}

impl Steps {
    pub(crate) fn derive(git: &Git, name: &str) -> anyhow::Result<Self> {
        let from = git.commit(name)?;
        let from = from.with_context(|| format!("there is no commit {name}"))?;
        let mut tree = Tree::of(git, &from)?;
        if tree.has(GUIDE) {
            bail!(
                "this is a step of the tutorial: `git checkout main` first; what is committed here stays"
            );
        }
        let chapters = Chapter::all(&git.root.join(FOLDER))?;
        let mut list = Vec::new();
        let mut reader = Reader::default();
        for chapter in chapters.iter().rev() {
            let before = undo(chapter, &tree, &mut reader)
                .with_context(|| format!("{FOLDER}/{} cannot be undone", chapter.name))?;
            list.push(Step {
                name: chapter.name.clone(),
                title: chapter.about.title.clone(),
                joins: chapter.about.joins.clone(),
                tree,
            });
            tree = before;
        }
        list.push(Step {
            name: BASE.to_owned(),
            title: "Uninstrumented".to_owned(),
            joins: "nothing: logs alone".to_owned(),
            tree,
        });
        list.reverse();
        let mut steps = Self { from, list };
        steps.add_guides();
        Ok(steps)
    }

    fn add_guides(&mut self) {
        let names: Vec<_> = self.list.iter().map(|step| step.name.clone()).collect();
        for (at, step) in self.list.iter_mut().enumerate() {
            let guide = guide(&step.name, &step.title, &step.joins, names.get(at + 1));
            step.tree.write(GUIDE, guide);
        }
    }

    /// Writes a commit for each step, on the one before, and answers with their ids.
    pub(crate) fn write_commits(&self, git: &Git) -> anyhow::Result<Vec<String>> {
        let mut commits: Vec<String> = Vec::new();
        for step in &self.list {
            let files = step.tree.store(git)?;
            let message = format!("{}: {}", step.name, step.joins);
            let parent = commits.last().map(String::as_str);
            commits.push(git.write_commit(&files, parent, &self.from, &message)?);
        }
        Ok(commits)
    }

    /// Makes the branches; answers with those that have somebody's own work, which are not touched.
    pub(crate) fn write_branches(&self, git: &Git) -> anyhow::Result<Vec<String>> {
        let mut kept = Vec::new();
        for (step, commit) in self.list.iter().zip(self.write_commits(git)?) {
            match git.commit(&format!("refs/heads/{}", step.name))? {
                Some(old) if old == commit => {}
                Some(old) if !git.is_derived(&old)? => kept.push(step.name.clone()),
                _ if git.branch()?.as_deref() == Some(&step.name) => kept.push(step.name.clone()),
                _ => git.set_branch(&step.name, &commit)?,
            }
        }
        Ok(kept)
    }
}

fn guide(name: &str, title: &str, joins: &str, next: Option<&String>) -> String {
    let next = match next {
        Some(next) => {
            let number = number(next);
            format!(
            "\
## Next: {next}

1. Read [docs/tutorial/{next}.md](docs/tutorial/{next}.md), and make its edits here.
2. `make tutorial-check` tells which edge of the trace is still missing.
   On a branch of your own, name the chapter: `make tutorial-check CHAPTER={number}`.
3. `git diff {name} {next}` is the solution; `git checkout {next}` takes you there, after `git stash -u` has put yours aside.
"
            )
        }
        None => "This is the last step: what `main` has.\n".to_owned(),
    };
    format!(
        "\
# {name}: {title}

You are on a branch of the tutorial, which was made from `main` by `make tutorial`.

Joined up here: {joins}.

{next}"
    )
}
