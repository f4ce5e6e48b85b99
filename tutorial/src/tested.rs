//! What the steps were made of when they were tested last. It is kept beside the rules, since a fresh clone knows no
//! earlier run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::git::Git;
use crate::render::picture_of;

/// What a step is built of, and what it is held against.
const PARTS: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "devstack/",
    "services/",
    "shared/",
    "tests/contract/src/",
    "tests/stack/",
];
const FILE: &str = "tutorial/tested.txt";

/// An id for each step that was tested without a fault.
#[derive(Debug)]
pub(crate) struct Tested {
    path: PathBuf,
    ids: BTreeMap<String, String>,
}

impl Tested {
    pub(crate) fn read(root: &Path) -> Self {
        let path = root.join(FILE);
        // Where there is none, nothing was tested.
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let ids = lines.map(|(step, id)| (step.to_owned(), id.to_owned()));
        Self {
            path,
            ids: ids.collect(),
        }
    }

    pub(crate) fn has(&self, step: &str, id: &str) -> bool {
        self.ids.get(step).is_some_and(|known| known == id)
    }

    /// Keeps that a step was tested, at once: a run of all steps takes its time.
    pub(crate) fn keep(&mut self, step: &str, id: String) -> anyhow::Result<()> {
        self.ids.insert(step.to_owned(), id);
        let lines = self.ids.iter().map(|(step, id)| format!("{step} {id}\n"));
        let text: String = lines.collect();
        std::fs::write(&self.path, text).with_context(|| format!("writing {}", self.path.display()))
    }
}

/// One id for all that a step is made of, and for the picture that it is to print.
pub(crate) fn made_of(git: &Git, step: &str, commit: &str) -> anyhow::Result<String> {
    let files = git.files(commit)?;
    let files = files.iter().filter(|(path, _)| {
        let mut parts = PARTS.iter();
        parts.any(|part| path.starts_with(part))
    });
    let mut made_of: Vec<_> = files
        .map(|(path, blob)| format!("{path} {}", blob.id))
        .collect();
    made_of.push(std::fs::read_to_string(picture_of(&git.root, step)).unwrap_or_default());
    git.write_blob(&made_of.join("\n"))
}
