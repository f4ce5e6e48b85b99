//! The files of one step: those of a commit, some of them changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;

use crate::git::{Blob, Git};
use crate::source::{Edit, apply, parse};

/// The files of a step by their paths. Cheap enough to keep one for each step.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// What the commit has, without what was removed since.
    blobs: BTreeMap<String, Blob>,
    /// The texts of all Rust files, and of every file that was changed or added.
    texts: BTreeMap<String, Text>,
}

#[derive(Debug, Clone)]
struct Text {
    text: String,
    is_changed: bool,
}

impl Tree {
    pub(crate) fn of(git: &Git, commit: &str) -> anyhow::Result<Self> {
        let blobs = git.files(commit)?;
        let rust = blobs.iter().filter(|(path, _)| is_rust(path));
        let (paths, ids): (Vec<_>, Vec<_>) = rust.map(|(path, blob)| (path, &*blob.id)).unzip();
        let texts = git.texts(&ids)?.into_iter().map(|text| Text {
            text,
            is_changed: false,
        });
        let texts = paths.into_iter().cloned().zip(texts).collect();
        Ok(Self { blobs, texts })
    }

    /// Every Rust file.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.texts.iter().filter(|(path, _)| is_rust(path));
        texts.map(|(path, text)| (&**path, &*text.text))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(|text| &*text.text)
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.blobs.contains_key(path) || self.texts.contains_key(path)
    }

    /// Paths below `folder`, or `folder` itself if it is a file.
    pub(crate) fn below(&self, folder: &str) -> Vec<String> {
        let paths = self.blobs.keys().chain(self.texts.keys());
        let is_below = |path: &&String| {
            let rest = path.strip_prefix(folder);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut paths: Vec<_> = paths.filter(is_below).cloned().collect();
        paths.dedup();
        paths
    }

    pub(crate) fn write(&mut self, path: &str, text: String) {
        let is_same = self.text(path) == Some(&*text);
        if !is_same {
            let text = Text {
                text,
                is_changed: true,
            };
            self.texts.insert(path.to_owned(), text);
        }
    }

    /// Takes a file away, and where it was declared as a module that too.
    pub(crate) fn remove(&mut self, path: &str) {
        self.blobs.remove(path);
        self.texts.remove(path);
        self.undeclare(path);
    }

    /// Takes `mod <file>;` away where a file was declared.
    fn undeclare(&mut self, path: &str) {
        let Some((name, parents)) = module(path) else {
            return;
        };
        for parent in parents {
            let Some(text) = self.text(&parent) else {
                continue;
            };
            let syntax = parse(text);
            let root = syntax.root();
            let declared = root.dfs().find(|node| {
                node.kind() == "mod_item"
                    && node.field("body").is_none()
                    && node.field("name").is_some_and(|it| it.text() == name)
            });
            if let Some(declared) = declared {
                let text = apply(text, vec![Edit::remove(&declared, text)]);
                self.write(&parent, text);
                return;
            }
        }
    }

    /// Whether a file is a crate's root, or a module that is declared.
    pub(crate) fn is_compiled(&self, path: &str) -> bool {
        if path.ends_with("/lib.rs") || path.ends_with("/main.rs") {
            return true;
        }
        let Some((name, parents)) = module(path) else {
            return true;
        };
        let declaration = format!("mod {name};");
        let mut texts = parents.iter().filter_map(|parent| self.text(parent));
        texts.any(|text| text.contains(&declaration))
    }

    /// Paths of Rust files whose text is not that of `other`.
    pub(crate) fn changed_since(&self, other: &Self) -> Vec<String> {
        let rust = self
            .rust()
            .filter(|(path, text)| other.text(path) != Some(text));
        rust.map(|(path, _)| path.to_owned()).collect()
    }

    /// Paths of files that are not the same in both, or in one of them alone.
    pub(crate) fn differences(&self, other: &Self) -> BTreeSet<String> {
        let trees = [self, other];
        let paths = trees.map(|tree| tree.blobs.keys().chain(tree.texts.keys()));
        let same = |path: &str| match (self.text(path), other.text(path)) {
            (None, None) => self.blobs.get(path) == other.blobs.get(path),
            (one, other) => one == other,
        };
        let paths = paths.into_iter().flatten().filter(|path| !same(path));
        paths.cloned().collect()
    }

    /// Writes what was changed into the repository, and answers with what a commit of this step has.
    pub(crate) fn store(&self, git: &Git) -> anyhow::Result<BTreeMap<String, Blob>> {
        let mut blobs = self.blobs.clone();
        for (path, Text { text, .. }) in self.texts.iter().filter(|(_, text)| text.is_changed) {
            let id = git
                .write_blob(text)
                .with_context(|| format!("storing {path}"))?;
            let mode = blobs
                .get(path)
                .map_or("100644", |blob| &blob.mode)
                .to_owned();
            blobs.insert(path.clone(), Blob { mode, id });
        }
        Ok(blobs)
    }

    #[cfg(test)]
    pub(crate) fn of_texts<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let texts = texts.into_iter().map(|(path, text)| {
            let text = Text {
                text: text.to_owned(),
                is_changed: true,
            };
            (path.to_owned(), text)
        });
        Self {
            blobs: BTreeMap::new(),
            texts: texts.collect(),
        }
    }
}

/// The name of the module that a file is, and the files that may declare it.
fn module(path: &str) -> Option<(&str, [String; 4])> {
    let (folder, file) = path.rsplit_once('/')?;
    let name = file.strip_suffix(".rs")?;
    let (folder, name) = match (name, folder.rsplit_once('/')) {
        ("mod", Some((above, folder))) => (above, folder),
        _ => (folder, name),
    };
    let [lib, main, module] = ["lib", "main", "mod"].map(|parent| format!("{folder}/{parent}.rs"));
    Some((name, [lib, main, module, format!("{folder}.rs")]))
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "rs")
}

/// Whether a file has nothing in it but tests and what they need.
pub(crate) fn is_test(path: &str) -> bool {
    let folders = ["/tests/", "/benches/", "/examples/"];
    let files = ["/tests.rs", "_tests.rs", "/testing.rs", "/fuzzing.rs"];
    folders.iter().any(|folder| path.contains(folder))
        || files.iter().any(|file| path.ends_with(file))
}
