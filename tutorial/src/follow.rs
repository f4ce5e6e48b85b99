//! A learner's way: the edits of a chapter's text, made as the text says, lead from the step before to its own.

use anyhow::{Context, bail, ensure};

use crate::render::{marker, text_of};
use crate::steps::{GUIDE, Step, Steps};
use crate::tree::Tree;

/// What stands in the way of somebody who follows the texts word for word.
pub(crate) fn faults(root: &std::path::Path, steps: &Steps) -> Vec<String> {
    let mut faults = Vec::new();
    for pair in steps.list.windows(2) {
        let [before, step] = pair else { continue };
        let text = std::fs::read_to_string(text_of(root, &step.name)).unwrap_or_default();
        let led = followed(&text, &before.tree, step).map(|tree| gap(&tree, &step.tree));
        match led {
            Ok(None) => {}
            Ok(Some(path)) => faults.push(format!(
                "{}: who follows the text does not get what the step has in {path}",
                step.name
            )),
            Err(error) => faults.push(format!("{}: {error:#}", step.name)),
        }
    }
    faults
}

/// What somebody has who begins with `before` and does what `text` says.
fn followed(text: &str, before: &Tree, step: &Step) -> anyhow::Result<Tree> {
    let mut tree = before.clone();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(marker) = marker(line) else {
            continue;
        };
        let block = lines.by_ref().skip(1).take_while(|line| *line != "```");
        if let Some(path) = marker.strip_prefix("edit: ") {
            let block: Vec<_> = block.collect();
            let old = tree.text(path).unwrap_or_default();
            let new = patched(old, &block).with_context(|| format!("the edit of {path}"))?;
            ensure!(
                !new.is_empty(),
                "the edit of {path} leaves an empty file, which nobody is told to delete"
            );
            tree.write(path, new);
        } else if marker == "tests" {
            for path in block.skip(1).map(|line| line.trim_end_matches('\\').trim()) {
                let fetched = step.tree.text(path);
                let fetched =
                    fetched.with_context(|| format!("it fetches {path}, which is not there"))?;
                tree.write(path, fetched.to_owned());
            }
        }
    }
    Ok(tree)
}

/// `old` with the hunks of a difference.
fn patched(old: &str, hunks: &[&str]) -> anyhow::Result<String> {
    let mut old = old.lines().enumerate().peekable();
    let mut new = Vec::new();
    for line in hunks {
        if let Some(head) = line.strip_prefix("@@ -") {
            let begin = head.split([',', ' ']).next().unwrap_or_default();
            let begin: usize = begin.parse().context("a hunk begins at a line")?;
            let until_hunk = std::iter::from_fn(|| old.next_if(|(at, _)| at + 1 < begin));
            new.extend(until_hunk.map(|(_, line)| line));
        } else if let Some(added) = line.strip_prefix('+') {
            new.push(added);
        } else {
            let (is_kept, wanted) = match line.strip_prefix('-') {
                Some(removed) => (false, removed),
                None => (true, line.strip_prefix(' ').unwrap_or(line)),
            };
            let Some((at, found)) = old.next() else {
                bail!("there is no line {wanted:?}");
            };
            let at = at + 1;
            ensure!(
                found == wanted,
                "line {at} is {found:?}, and not {wanted:?}"
            );
            if is_kept {
                new.push(found);
            }
        }
    }
    new.extend(old.map(|(_, line)| line));
    let lines = new.into_iter().map(|line| format!("{line}\n"));
    Ok(lines.collect())
}

/// The first file in which two trees differ by more than white space, apart from what says where one is.
fn gap(one: &Tree, other: &Tree) -> Option<String> {
    let mut paths = one.differences(other).into_iter();
    paths.find(|path| {
        let text = |tree: &Tree| {
            let text = tree.text(path)?;
            Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        path != GUIDE && (text(one).is_none() || text(one) != text(other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: [(&str, &str); 2] = [("a.rs", "one\ntwo\nthree\n"), ("b.rs", "kept\n")];
    const TEXT: &str = "\
<!-- edit: a.rs -->
```diff
@@ -1,3 +1,3 @@
 one
-two
+2
 three
```

<!-- edit: new.rs -->
```diff
@@ -0,0 +1 @@
+new
```

<!-- tests -->
```sh
git checkout 03-sql -- \\
    tests/it.rs
```
";

    fn step(texts: &[(&'static str, &'static str)]) -> Step {
        Step {
            name: "03-sql".to_owned(),
            title: String::new(),
            joins: String::new(),
            tree: Tree::of_texts(texts.iter().copied()),
        }
    }

    fn finished() -> Vec<(&'static str, &'static str)> {
        vec![
            ("a.rs", "one\n2\nthree\n"),
            ("b.rs", "kept\n"),
            ("new.rs", "new\n"),
            ("tests/it.rs", "test\n"),
        ]
    }

    #[test]
    fn who_makes_all_edits_and_fetches_the_tests_has_the_step() {
        let step = step(&finished());
        let tree = followed(TEXT, &Tree::of_texts(BEFORE), &step).unwrap();
        assert_eq!(gap(&tree, &step.tree), None);
    }

    #[test]
    fn white_space_may_differ_and_nothing_else() {
        let tree = Tree::of_texts([("a.rs", "one two\n")]);
        assert_eq!(
            gap(&tree, &Tree::of_texts([("a.rs", "one\n  two\n")])),
            None
        );
        let other = Tree::of_texts([("a.rs", "onetwo\n")]);
        assert_eq!(gap(&tree, &other).as_deref(), Some("a.rs"));
        assert_eq!(gap(&tree, &Tree::of_texts([])).as_deref(), Some("a.rs"));
    }

    #[test]
    fn an_edit_that_the_text_leaves_out_is_named() {
        let mut finished = finished();
        finished.push(("left-out.rs", "text\n"));
        let step = step(&finished);
        let tree = followed(TEXT, &Tree::of_texts(BEFORE), &step).unwrap();
        assert_eq!(gap(&tree, &step.tree).as_deref(), Some("left-out.rs"));
    }

    #[test]
    fn an_edit_of_a_line_that_is_not_there_names_the_file() {
        let before = Tree::of_texts([("a.rs", "one\ndeux\nthree\n")]);
        let error = followed(TEXT, &before, &step(&finished())).unwrap_err();
        assert!(
            format!("{error:#}").contains("the edit of a.rs: line 2"),
            "{error:#}"
        );
    }

    #[test]
    fn a_test_that_cannot_be_fetched_is_named() {
        let error = followed(TEXT, &Tree::of_texts(BEFORE), &step(&BEFORE)).unwrap_err();
        assert!(error.to_string().contains("tests/it.rs"), "{error:#}");
    }
}
