//! A chapter, as its folder describes it.

use std::path::Path;

use anyhow::{Context, ensure};
use ast_grep_config::{GlobalRules, RuleCollection, RuleConfig, from_yaml_string};
use ast_grep_language::SupportLang;
use serde::Deserialize;

/// What a chapter is about, and how to take back what it brings.
pub(crate) struct Chapter {
    /// Such as `03-sql`: the name of the branch in which it is finished.
    pub(crate) name: String,
    pub(crate) about: About,
    pub(crate) rules: RuleCollection<SupportLang>,
    /// Their ids, in the order of the file.
    pub(crate) rule_ids: Vec<String>,
}

/// `chapter.yml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// Of the chapter.
    pub(crate) title: String,
    /// What is joined up when it is finished.
    pub(crate) joins: String,
    /// For a learner who is not there yet: where to look, and not what to write.
    pub(crate) hint: String,
    /// Files that the chapter writes, by their paths.
    #[serde(default)]
    pub(crate) writes: Vec<String>,
    /// Tests that hold from here on: a file, a folder, or `<file>::<name of the test>`.
    #[serde(default)]
    pub(crate) tests: Vec<String>,
}

impl std::fmt::Debug for Chapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chapter")
            .field("name", &self.name)
            .field("about", &self.about)
            .field("rule_ids", &self.rule_ids)
            .finish_non_exhaustive()
    }
}

impl Chapter {
    /// Reads all chapters below `dir`, the first one first.
    pub(crate) fn all(dir: &Path) -> anyhow::Result<Vec<Self>> {
        let mut chapters = Vec::new();
        let entries =
            std::fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(|first: char| first.is_ascii_digit()) {
                let chapter = Self::read(&entry.path(), name);
                chapters.push(chapter.with_context(|| format!("{}", entry.path().display()))?);
            }
        }
        chapters.sort_by(|one, other| one.name.cmp(&other.name));
        ensure!(
            !chapters.is_empty(),
            "there is no chapter in {}",
            dir.display()
        );
        Ok(chapters)
    }

    fn read(dir: &Path, name: String) -> anyhow::Result<Self> {
        let about = std::fs::read_to_string(dir.join("chapter.yml")).context("chapter.yml")?;
        let about = serde_saphyr::from_str(&about).context("chapter.yml")?;
        let rules = match std::fs::read_to_string(dir.join("undo.yml")) {
            Ok(rules) => rules,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).context("undo.yml"),
        };
        let rules: Vec<RuleConfig<SupportLang>> =
            from_yaml_string(&rules, &GlobalRules::default()).context("undo.yml")?;
        let rule_ids: Vec<_> = rules.iter().map(|rule| rule.id.clone()).collect();
        for (rule, id) in rules.iter().zip(&rule_ids) {
            ensure!(rule.fix.is_some(), "undo.yml: the rule {id:?} has no fix");
            ensure!(
                rule.files.is_some(),
                "undo.yml: the rule {id:?} names no files"
            );
        }
        Ok(Self {
            name,
            about,
            rules: RuleCollection::try_new(rules).context("undo.yml")?,
            rule_ids,
        })
    }

    /// What its name begins with.
    pub(crate) fn number(&self) -> u8 {
        number(&self.name)
    }
}

/// The number that the name of a chapter, and of its step, begins with.
pub(crate) fn number(name: &str) -> u8 {
    let digits = name.split('-').next();
    let digits = digits.and_then(|digits| digits.parse().ok());
    digits.unwrap_or_default()
}
