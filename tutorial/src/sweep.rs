//! Sweeping up after the rules: what nobody uses any more since they were applied.
//!
//! A rule takes back a call; the import of what was called, the helper that only it had, and the helper's own helpers
//! go by themselves. Only what was used before and no longer is goes: what nobody uses on main, such as a function for
//! users of a library, stays.

use std::collections::HashSet;
use std::ops::Range;

use crate::imports::without_imports;
use crate::names::{
    Names, Reader, is_of_trait, is_public, is_swept, name_of_item, not_for_tests, uses_in,
};
use crate::source::{Edit, SyntaxNode, apply, parse};
use crate::tree::{Tree, is_test};

/// Removes what was used in `before`, and is not in `tree`, until there is no more of it.
pub(crate) fn sweep(tree: &mut Tree, before: &Tree, reader: &mut Reader) {
    let names_before = reader.names(before);
    loop {
        let items = remove_items(tree, &names_before, &reader.names(tree));
        let imports = remove_imports(tree, before, &names_before, &reader.names(tree));
        let files = remove_empty_files(tree, before);
        if !items && !imports && !files {
            return;
        }
    }
}

/// Whether there were any to remove.
fn remove_items(tree: &mut Tree, before: &Names, now: &Names) -> bool {
    let mut is_changed = false;
    for path in paths(tree) {
        let unused = now.unused_in(&path, before);
        let text = tree.text(&path).unwrap_or_default();
        if unused.is_empty() && !now.differs_in(&path, before) {
            continue;
        }
        let edits = removals(text, &unused);
        if !edits.is_empty() {
            let text = apply(text, edits);
            tree.write(&path, text);
            is_changed = true;
        }
    }
    is_changed
}

fn paths(tree: &Tree) -> Vec<String> {
    let paths = tree.rust().map(|(path, _)| path.to_owned());
    paths.filter(|path| is_swept(path)).collect()
}

fn remove_imports(tree: &mut Tree, before: &Tree, names_before: &Names, names: &Names) -> bool {
    let defined = names.defined();
    let gone = names_before.defined();
    let gone: HashSet<_> = gone.difference(&defined).copied().collect();
    let mut is_changed = false;
    let paths: Vec<_> = tree.rust().map(|(path, _)| path.to_owned()).collect();
    for path in paths {
        let text = tree.text(&path).unwrap_or_default();
        let old = before.text(&path);
        let is_touched = old != Some(text);
        if !is_touched && !gone.iter().any(|name| text.contains(name)) {
            continue;
        }
        let left = if is_test(&path) && is_touched {
            let unused = unused_in_test(old.unwrap_or_default(), text);
            without_imports(text, &|name| unused.contains(name))
        } else if is_swept(&path) || is_touched {
            let left = without_imports(text, &|name| {
                gone.contains(name)
                    || is_touched
                        && names_before.uses_in(&path, name)
                        && !names.uses_in(&path, name)
            });
            without_imports_of_tests(&left, old.unwrap_or_default())
        } else {
            continue;
        };
        if left != text {
            tree.write(&path, left);
            is_changed = true;
        }
    }
    is_changed
}

fn remove_empty_files(tree: &mut Tree, before: &Tree) -> bool {
    let mut is_changed = false;
    for path in paths(tree) {
        let old = before.text(&path);
        if old == tree.text(&path) {
            continue;
        }
        let was_there = old.is_some_and(|text| !is_empty(text));
        if was_there && tree.text(&path).is_some_and(is_empty) {
            tree.remove(&path);
            is_changed = true;
        }
    }
    is_changed
}

/// Names that a file of tests had in use before, and has not now.
fn unused_in_test(before: &str, now: &str) -> HashSet<String> {
    let now = uses_in(now);
    let before = uses_in(before).into_keys();
    before.filter(|name| !now.contains_key(name)).collect()
}

/// `text` without what its module of tests imports, and has not in use as it had in `before`.
fn without_imports_of_tests(text: &str, before: &str) -> String {
    let (Some(range), Some(old)) = (tests_in(text), tests_in(before)) else {
        return text.to_owned();
    };
    let tests = &text[range.clone()];
    let unused = unused_in_test(&before[old], tests);
    let left = without_imports(tests, &|name| unused.contains(name));
    [&text[..range.start], &left, &text[range.end..]].concat()
}

/// Where in a file its module of tests is.
fn tests_in(text: &str) -> Option<Range<usize>> {
    let syntax = parse(text);
    let root = syntax.root();
    let mut modules = root.children().filter(|node| node.kind() == "mod_item");
    let tests = modules.find(|module| {
        let name = module.field("name");
        name.is_some_and(|name| name.text() == "tests") && module.field("body").is_some()
    })?;
    Some(tests.range())
}

/// Removals of the items that are `unused`.
fn removals(text: &str, unused: &HashSet<&str>) -> Vec<Edit> {
    let syntax = parse(text);
    let root = syntax.root();
    let mut edits = Vec::new();
    let mut ahead = vec![root.clone()];
    while let Some(node) = ahead.pop() {
        match name_of_item(&node) {
            Some(name) if unused.contains(&*name) && !is_public(&node) => {
                edits.push(Edit::remove(&node, text));
            }
            _ if !is_of_trait(&node) => ahead.extend(not_for_tests(&node)),
            _ => {}
        }
    }
    // What is implemented for a type that is gone, and what has nothing left in it.
    for node in root.dfs().filter(|node| node.kind() == "impl_item") {
        let of = node.field("type").map(|it| base(&it)).unwrap_or_default();
        let body = node.field("body");
        let is_inherent = node.field("trait").is_none();
        let is_hollow = body.is_some_and(|body| body.named_children().next().is_none());
        if unused.contains(&*of) || is_inherent && is_hollow {
            edits.push(Edit::remove(&node, text));
        }
    }
    edits
}

/// The name of a type without its parameters.
fn base(node: &SyntaxNode<'_>) -> String {
    match &*node.kind() {
        "generic_type" => node.field("type").map(|it| base(&it)).unwrap_or_default(),
        _ => node.text().into_owned(),
    }
}

/// Whether there is nothing in a file but imports and remarks.
fn is_empty(text: &str) -> bool {
    let syntax = parse(text);
    let root = syntax.root();
    let mut left = root.named_children();
    left.all(|node| {
        matches!(
            &*node.kind(),
            "use_declaration" | "line_comment" | "block_comment" | "inner_attribute_item"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(before: &str, after: &str) -> Option<String> {
        let path = "services/some/src/lib.rs";
        let before = Tree::of_texts([(path, before)]);
        let mut tree = Tree::of_texts([(path, after)]);
        sweep(&mut tree, &before, &mut Reader::default());
        tree.text(path).map(str::to_owned)
    }

    #[test]
    fn helpers_of_what_is_gone_go_too_and_so_do_their_imports() {
        let rest = "use a::{X, Y};\nuse b::c;\n\n/// Of it.\nfn helper() { deeper(); }\nfn deeper() { c(X); }\npub fn entry(_: Y) {}\n";
        let before = format!("{rest}pub fn other() {{ helper(); }}\n");
        let after = format!("{rest}pub fn other() {{}}\n");
        let left = "use a::Y;\n\npub fn entry(_: Y) {}\npub fn other() {}\n";
        assert_eq!(swept(&before, &after).as_deref(), Some(left));
    }

    #[test]
    fn what_nobody_used_before_stays() {
        let before = "use a::X;\nfn idle() {}\npub fn offered() {}\n";
        assert_eq!(swept(before, before).as_deref(), Some(before));
    }

    #[test]
    fn what_one_test_alone_imports_goes_with_it() {
        let tests = |imports: &str, more: &str| {
            let kept = "    #[test]\n    fn kept() { b(); }\n";
            format!(
                "pub fn f() {{}}\n\n#[cfg(test)]\nmod tests {{\n    {imports}\n    use super::*;\n{kept}{more}}}\n"
            )
        };
        let before = tests("use a::{b, c};", "    #[test]\n    fn gone() { c(); }\n");
        let after = tests("use a::{b, c};", "");
        let left = tests("use a::b;", "");
        assert_eq!(swept(&before, &after), Some(left));
    }

    #[test]
    fn a_type_goes_with_all_that_is_implemented_for_it() {
        let rest = "struct It;\nimpl It {\n    fn new() -> It {\n        It\n    }\n}\nimpl Drop for It {\n    fn drop(&mut self) {}\n}\npub fn f() {}\n";
        let before = format!("{rest}pub fn g() {{ It::new(); }}\n");
        let after = format!("{rest}pub fn g() {{}}\n");
        let left = "pub fn f() {}\npub fn g() {}\n";
        assert_eq!(swept(&before, &after).as_deref(), Some(left));
    }
}
