//! Commits without a checkout, by git's own plumbing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

/// Who the derived commits are by. Always the same, so that the same commit of main gives the same hashes.
const NAME: &str = "The OrderFlow tutorial";
const EMAIL: &str = "tutorial@orderflow.invalid";

/// A repository.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    pub(crate) root: PathBuf,
}

/// A file in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) mode: String,
    pub(crate) id: String,
}

impl Git {
    /// The repository that `dir` belongs to.
    pub(crate) fn of(dir: &Path) -> anyhow::Result<Self> {
        let git = Self {
            root: dir.to_owned(),
        };
        let root = git.ask(&["rev-parse", "--show-toplevel"])?;
        Ok(Self { root: root.into() })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.root).args(arguments);
        command
    }

    /// What `git <arguments>` answers, without the end of its last line.
    pub(crate) fn ask(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(arguments).output().context("running git")?;
        text(arguments, &output)
    }

    /// As [`ask`](Self::ask), with something to read.
    fn tell(
        &self,
        arguments: &[&str],
        input: &[u8],
        index: Option<&Path>,
    ) -> anyhow::Result<String> {
        let mut command = self.command(arguments);
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut git = command.spawn().context("running git")?;
        let mut stdin = git.stdin.take().context("its input is piped")?;
        stdin.write_all(input).context("writing to git")?;
        drop(stdin);
        let output = git.wait_with_output().context("waiting for git")?;
        text(arguments, &output)
    }

    /// The commit that `name` stands for; `None` if there is none.
    pub(crate) fn commit(&self, name: &str) -> anyhow::Result<Option<String>> {
        let wanted = format!("{name}^{{commit}}");
        let arguments = ["rev-parse", "--quiet", "--verify", &wanted];
        let output = self.command(&arguments).output().context("running git")?;
        let id = String::from_utf8(output.stdout)?.trim().to_owned();
        Ok(output.status.success().then_some(id))
    }

    /// The name of the branch that is checked out; `None` outside of branches.
    pub(crate) fn branch(&self) -> anyhow::Result<Option<String>> {
        let name = self.ask(&["branch", "--show-current"])?;
        Ok((!name.is_empty()).then_some(name))
    }

    /// All files of a commit, by their paths.
    pub(crate) fn files(&self, commit: &str) -> anyhow::Result<BTreeMap<String, Blob>> {
        let listed = self.ask(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
        let entries = listed.split('\0').filter(|entry| !entry.is_empty());
        entries
            .map(|entry| {
                let (about, path) = entry.split_once('\t').context("an entry has a path")?;
                let mut about = about.split(' ');
                let (mode, id) = (about.next(), about.nth(1));
                let blob = Blob {
                    mode: mode.context("an entry has a mode")?.to_owned(),
                    id: id.context("an entry has an id")?.to_owned(),
                };
                Ok((path.to_owned(), blob))
            })
            .collect()
    }

    /// The texts of these blobs, in their order.
    pub(crate) fn texts(&self, ids: &[&str]) -> anyhow::Result<Vec<String>> {
        let arguments = ["cat-file", "--batch"];
        let mut command = self.command(&arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut git = command.spawn().context("running git")?;
        let mut stdin = git.stdin.take().context("its input is piped")?;
        let input = ids.join("\n") + "\n";
        // Beside the reading: with both pipes full, each would wait for the other.
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = git.wait_with_output().context("waiting for git")?;
        ensure!(output.status.success(), "git cat-file has failed");
        writer.join().expect("it does not panic")?;
        let mut rest = output.stdout.as_slice();
        let mut texts = Vec::with_capacity(ids.len());
        for id in ids {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (head, body) = rest.split_at(end.context("git told no size")?);
            let size = str::from_utf8(head)?.rsplit(' ').next();
            let size: usize = size
                .and_then(|size| size.parse().ok())
                .with_context(|| format!("git does not know the blob {id}"))?;
            let text = str::from_utf8(&body[1..=size]).with_context(|| format!("the blob {id}"))?;
            texts.push(text.to_owned());
            rest = &body[size + 2..];
        }
        Ok(texts)
    }

    pub(crate) fn write_blob(&self, text: &str) -> anyhow::Result<String> {
        self.tell(&["hash-object", "-w", "--stdin"], text.as_bytes(), None)
    }

    /// Writes a commit with these files; `parent` is the one before it, `like` the one that it has its dates from.
    pub(crate) fn write_commit(
        &self,
        files: &BTreeMap<String, Blob>,
        parent: Option<&str>,
        like: &str,
        message: &str,
    ) -> anyhow::Result<String> {
        let mut entries = String::new();
        for (path, Blob { mode, id }) in files {
            let _ = write!(entries, "{mode} {id}\t{path}\0");
        }
        let git_dir = self.ask(&["rev-parse", "--absolute-git-dir"])?;
        let index = Path::new(&git_dir).join(format!("tutorial-index-{}", std::process::id()));
        let arguments = ["update-index", "-z", "--index-info"];
        let written = self
            .tell(&arguments, entries.as_bytes(), Some(&index))
            .and_then(|_| self.tell(&["write-tree"], b"", Some(&index)));
        std::fs::remove_file(&index).ok();
        let tree = written?;
        let date = self.ask(&["show", "--no-patch", "--format=%ct +0000", like])?;
        let mut commit = format!("tree {tree}\n");
        if let Some(parent) = parent {
            let _ = writeln!(commit, "parent {parent}");
        }
        for role in ["author", "committer"] {
            let _ = writeln!(commit, "{role} {NAME} <{EMAIL}> {date}");
        }
        let _ = writeln!(commit, "\n{message}");
        let arguments = ["hash-object", "-w", "-t", "commit", "--stdin"];
        self.tell(&arguments, commit.as_bytes(), None)
    }

    /// Whether a commit was written here, and not by a person.
    pub(crate) fn is_derived(&self, commit: &str) -> anyhow::Result<bool> {
        let by = self.ask(&["show", "--no-patch", "--format=%ce", commit])?;
        Ok(by == EMAIL)
    }

    pub(crate) fn set_branch(&self, name: &str, commit: &str) -> anyhow::Result<()> {
        let name = format!("refs/heads/{name}");
        self.ask(&["update-ref", &name, commit]).map(drop)
    }
}

fn text(arguments: &[&str], output: &std::process::Output) -> anyhow::Result<String> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let what = arguments.first().unwrap_or(&"");
        bail!("git {what}: {}", said.trim());
    }
    let mut text = String::from_utf8(output.stdout.clone()).context("git answered no text")?;
    text.truncate(text.trim_end_matches('\n').len());
    Ok(text)
}
