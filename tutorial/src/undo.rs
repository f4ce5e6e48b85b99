//! Taking back what a chapter brings: from the step in which it is finished to the step before.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use ast_grep_config::RuleConfig;
use ast_grep_core::Matcher as _;
use ast_grep_core::replacer::Replacer as _;
use ast_grep_language::SupportLang;

use crate::chapter::Chapter;
use crate::left_behind::left_behind;
use crate::names::Reader;
use crate::source::{Edit, SyntaxNode, apply, parse};
use crate::sweep::sweep;
use crate::tree::Tree;

/// The step before `chapter`, by the step in which it is finished.
pub(crate) fn undo(
    chapter: &Chapter,
    finished: &Tree,
    reader: &mut Reader,
) -> anyhow::Result<Tree> {
    let mut tree = finished.clone();
    take_tests(chapter, &mut tree)?;
    rewrite(chapter, &mut tree)?;
    for path in &chapter.about.writes {
        ensure!(
            tree.has(path),
            "chapter.yml: it writes {path}, which is not there"
        );
        tree.remove(path);
    }
    sweep(&mut tree, finished, reader);
    let (before, now) = (reader.names(finished), reader.names(&tree));
    let gone = &before.defined() - &now.defined();
    if let Some(left) = left_behind(&tree, &gone) {
        bail!("{left}, which goes with this chapter: no rule of its undo.yml takes that back");
    }
    for path in tree.changed_since(finished) {
        let text = tree.text(&path).unwrap_or_default();
        let formatted = format(text).with_context(|| format!("what is left of {path}"))?;
        tree.write(&path, formatted);
    }
    Ok(tree)
}

fn rewrite(chapter: &Chapter, tree: &mut Tree) -> anyhow::Result<()> {
    let mut in_vain: BTreeSet<&str> = chapter.rule_ids.iter().map(String::as_str).collect();
    let paths: Vec<_> = tree.rust().map(|(path, _)| path.to_owned()).collect();
    for path in paths {
        let rules = chapter.rules.for_path(&path);
        // One after the other: the next rule sees what the one before has left.
        for id in &chapter.rule_ids {
            let Some(rule) = rules.iter().find(|rule| rule.id == *id) else {
                continue;
            };
            let text = tree.text(&path).unwrap_or_default();
            if let Some(new) = rewritten(rule, text)? {
                in_vain.remove(id.as_str());
                tree.write(&path, new);
            }
        }
    }
    if let Some(rule) = in_vain.first() {
        bail!("undo.yml: the rule {rule:?} finds nothing any more");
    }
    Ok(())
}

/// `text` after the rule; `None` if it finds nothing there.
fn rewritten(rule: &RuleConfig<SupportLang>, text: &str) -> anyhow::Result<Option<String>> {
    let fixers = rule.get_fixer()?;
    let fixer = fixers.first().context("a rule has a fix")?;
    let syntax = parse(text);
    let root = syntax.root();
    let edits: Vec<_> = root
        .find_all(&rule.matcher)
        .map(|found| {
            let new = fixer.generate_replacement(&found);
            let new = String::from_utf8(new).expect("it is made of text");
            if new.trim().is_empty() {
                Edit::remove(&found, text)
            } else {
                let range = found.range();
                let length = rule.matcher.get_match_len(found.get_node().clone());
                let end = length.map_or(range.end, |length| range.start + length);
                Edit {
                    range: range.start..end,
                    text: new,
                }
            }
        })
        .collect();
    Ok((!edits.is_empty()).then(|| apply(text, edits)))
}

/// Takes the tests away that hold only when the chapter is finished.
fn take_tests(chapter: &Chapter, tree: &mut Tree) -> anyhow::Result<()> {
    for test in &chapter.about.tests {
        let (path, name) = match test.split_once("::") {
            Some((path, name)) => (path, Some(name)),
            None => (&**test, None),
        };
        let Some(name) = name else {
            let paths = tree.below(path);
            ensure!(!paths.is_empty(), "chapter.yml: there is no test {path}");
            for path in paths {
                tree.remove(&path);
            }
            continue;
        };
        let text = tree.text(path);
        let text = text.with_context(|| format!("chapter.yml: there is no test {path}"))?;
        let syntax = parse(text);
        let root = syntax.root();
        let function = root.dfs().find(|node| is_function(node, name));
        let function = function.with_context(|| format!("chapter.yml: there is no test {test}"))?;
        // The last test takes the module with it that had nothing but tests.
        let module = function.ancestors().find(|node| node.kind() == "mod_item");
        let tests = |module: &SyntaxNode<'_>| module.text().matches("test]").count();
        let removed = module
            .filter(|module| tests(module) == 1)
            .unwrap_or(function);
        let text = apply(text, vec![Edit::remove(&removed, text)]);
        tree.write(path, text);
    }
    Ok(())
}

fn is_function(node: &SyntaxNode<'_>, name: &str) -> bool {
    node.kind() == "function_item" && node.field("name").is_some_and(|it| it.text() == name)
}

/// As `cargo fmt` would have it.
fn format(text: &str) -> anyhow::Result<String> {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024", "--emit", "stdout"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut rustfmt = command.spawn().context("running rustfmt")?;
    let mut stdin = rustfmt.stdin.take().context("its input is piped")?;
    stdin.write_all(text.as_bytes())?;
    drop(stdin);
    let output = rustfmt.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "rustfmt: {}\n{text}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
