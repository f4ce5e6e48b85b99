//! Sweeping up after the rules: what nobody uses any more since they were applied.
//!
//! A rule takes back a call; the import of what was called, the helper that only it had, and the helper's own helpers
//! go by themselves. Only what was used before and no longer is goes: what nobody uses on main, such as a function for
//! users of a library, stays.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::source::{Edit, SyntaxNode, apply, parse};
use crate::tree::Tree;
use crate::undo::undeclare;

/// How often each name is used, beside imports, tests and its own definition.
#[derive(Debug, Default)]
pub(crate) struct Names {
    everywhere: HashMap<String, usize>,
    in_file: HashMap<String, HashSet<String>>,
}

/// What may be swept: the parts of the repository that the chapters are about.
fn is_swept(path: &str) -> bool {
    (path.starts_with("services/") || path.starts_with("shared/")) && !is_test(path)
}

fn is_test(path: &str) -> bool {
    let folders = ["/tests/", "/benches/", "/examples/"];
    let files = ["/tests.rs", "_tests.rs", "/testing.rs", "/fuzzing.rs"];
    folders.iter().any(|folder| path.contains(folder))
        || files.iter().any(|file| path.ends_with(file))
}

impl Names {
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut names = Self::default();
        for (path, text) in tree.rust().filter(|(path, _)| !is_test(path)) {
            names.read(path, text);
        }
        names
    }

    fn read(&mut self, path: &str, text: &str) {
        let syntax = parse(text);
        let mut found = HashSet::new();
        let mut ahead = vec![syntax.root()];
        while let Some(node) = ahead.pop() {
            if node.kind() == "use_declaration" || is_for_tests(&node) {
                continue;
            }
            if is_name(&node) {
                let name = node.text().into_owned();
                if !is_definition(&node) {
                    *self.everywhere.entry(name.clone()).or_default() += 1;
                }
                found.insert(name);
            }
            if node.kind() == "string_content" {
                // `{name}` in the text of a format.
                for name in named_in(&node.text()) {
                    *self.everywhere.entry(name.to_owned()).or_default() += 1;
                    found.insert(name.to_owned());
                }
            }
            ahead.extend(node.children());
        }
        self.in_file.insert(path.to_owned(), found);
    }

    fn uses(&self, name: &str) -> usize {
        self.everywhere.get(name).copied().unwrap_or_default()
    }

    fn uses_in(&self, path: &str, name: &str) -> bool {
        self.in_file
            .get(path)
            .is_some_and(|names| names.contains(name))
    }
}

/// Removes what was used in `before`, and is not in `tree`, until there is no more of it.
pub(crate) fn sweep(tree: &mut Tree, before: &Tree, names_before: &Names) {
    loop {
        let names = Names::of(tree);
        let mut is_clean = true;
        let paths: Vec<_> = tree.rust().map(|(path, _)| path.to_owned()).collect();
        let mut gone = BTreeSet::new();
        for path in paths.iter().filter(|path| is_swept(path)) {
            let text = tree.text(path).unwrap_or_default();
            let edits = unused_items(text, names_before, &names, &mut gone);
            if !edits.is_empty() {
                let text = apply(text, edits);
                tree.write(path, text);
                is_clean = false;
            }
        }
        let names = Names::of(tree);
        for path in &paths {
            let text = tree.text(path).unwrap_or_default();
            let is_touched = before.text(path) != Some(text);
            let unused = |name: &str| {
                let was_used = names_before.uses_in(path, name);
                gone.contains(name) || is_touched && was_used && !names.uses_in(path, name)
            };
            let text = if is_test(path) && is_touched {
                without_unused_in_tests(text, &unused_in_test(before.text(path), text))
            } else if is_swept(path) {
                without_imports(text, &unused)
            } else {
                continue;
            };
            if Some(&*text) != tree.text(path) {
                tree.write(path, text);
                is_clean = false;
            }
        }
        for path in &paths {
            if is_swept(path)
                && before.text(path).is_some()
                && tree.text(path).is_some_and(is_empty)
            {
                tree.remove(path);
                undeclare(tree, path);
                is_clean = false;
            }
        }
        if is_clean {
            return;
        }
    }
}

/// Names that a file of tests had in use before, and has not now.
fn unused_in_test(before: Option<&str>, now: &str) -> HashSet<String> {
    let names = |text: &str| {
        let mut names = Names::default();
        names.read("", text);
        names.in_file.remove("").unwrap_or_default()
    };
    let before = before.map(names).unwrap_or_default();
    let now = names(now);
    before.difference(&now).cloned().collect()
}

fn without_unused_in_tests(text: &str, unused: &HashSet<String>) -> String {
    without_imports(text, &|name| unused.contains(name))
}

/// Removals of private items that are no longer used.
fn unused_items(text: &str, before: &Names, now: &Names, gone: &mut BTreeSet<String>) -> Vec<Edit> {
    let syntax = parse(text);
    let root = syntax.root();
    let mut edits = Vec::new();
    let mut ahead = vec![root.clone()];
    while let Some(node) = ahead.pop() {
        if is_for_tests(&node) || is_of_trait_impl(&node) {
            continue;
        }
        match name_of_item(&node) {
            Some(name) if is_unused(&node, &name, before, now) => {
                gone.insert(name);
                edits.push(Edit::remove(&node, text));
            }
            _ => ahead.extend(node.children()),
        }
    }
    // What is implemented for a type that is gone, and what has nothing left in it.
    for node in root.dfs().filter(|node| node.kind() == "impl_item") {
        let of = node.field("type").map(|it| base(&it)).unwrap_or_default();
        let body = node.field("body");
        let is_inherent = node.field("trait").is_none();
        let is_hollow = body.is_some_and(|body| body.named_children().next().is_none());
        if gone.contains(&of) || is_inherent && is_hollow {
            edits.push(Edit::remove(&node, text));
        }
    }
    edits
}

fn is_unused(node: &SyntaxNode<'_>, name: &str, before: &Names, now: &Names) -> bool {
    if is_public(node) || before.uses(name) == 0 {
        return false;
    }
    // What calls itself is not used by that.
    let own = node
        .dfs()
        .filter(|inner| is_name(inner) && inner.text() == name);
    let own = own.filter(|inner| !is_definition(inner)).count();
    now.uses(name) <= own
}

fn name_of_item(node: &SyntaxNode<'_>) -> Option<String> {
    let is_item = matches!(
        &*node.kind(),
        "function_item"
            | "struct_item"
            | "enum_item"
            | "const_item"
            | "static_item"
            | "type_item"
            | "trait_item"
    );
    let name = node.field("name").filter(|_| is_item)?;
    Some(name.text().into_owned()).filter(|name| name != "main")
}

/// `pub` without a bound: it may be meant for others.
fn is_public(node: &SyntaxNode<'_>) -> bool {
    let mut children = node.children();
    children.any(|child| child.kind() == "visibility_modifier" && child.text() == "pub")
}

fn is_of_trait_impl(node: &SyntaxNode<'_>) -> bool {
    node.kind() == "impl_item" && node.field("trait").is_some()
}

/// The name of a type without its parameters.
fn base(node: &SyntaxNode<'_>) -> String {
    match &*node.kind() {
        "generic_type" => node.field("type").map(|it| base(&it)).unwrap_or_default(),
        _ => node.text().into_owned(),
    }
}

fn is_name(node: &SyntaxNode<'_>) -> bool {
    matches!(
        &*node.kind(),
        "identifier" | "type_identifier" | "field_identifier" | "shorthand_field_identifier"
    )
}

/// Whether a name is that of an item that is defined here, or of the type that something is implemented for.
fn is_definition(node: &SyntaxNode<'_>) -> bool {
    let Some(above) = node.parent() else {
        return false;
    };
    let is = |field: &str| {
        above
            .field(field)
            .is_some_and(|it| it.node_id() == node.node_id())
    };
    match &*above.kind() {
        "impl_item" => is("type"),
        "generic_type" => {
            is("type")
                && above.parent().is_some_and(|item| {
                    item.kind() == "impl_item"
                        && item
                            .field("type")
                            .is_some_and(|it| it.node_id() == above.node_id())
                })
        }
        "function_item" | "struct_item" | "enum_item" | "const_item" | "static_item"
        | "type_item" | "trait_item" => is("name"),
        _ => false,
    }
}

/// Whether it is compiled for tests alone.
fn is_for_tests(node: &SyntaxNode<'_>) -> bool {
    let Some(above) = node.prev() else {
        return false;
    };
    above.kind() == "attribute_item" && above.text().contains("cfg(test)")
        || above.kind() == "attribute_item" && is_for_tests(&above)
}

fn named_in(format: &str) -> impl Iterator<Item = &str> {
    format.split('{').skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        Some(&rest[..end]).filter(|name| !name.is_empty())
    })
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

/// `text` without the imported names that are `unused`.
fn without_imports(text: &str, unused: &dyn Fn(&str) -> bool) -> String {
    let syntax = parse(text);
    let root = syntax.root();
    let uses = root.dfs().filter(|node| node.kind() == "use_declaration");
    let edits = uses.filter(|node| !is_for_tests(node)).filter_map(|node| {
        let argument = node.field("argument")?;
        match kept(&argument, unused) {
            None => Some(Edit::remove(&node, text)),
            Some(left) if left == argument.text() => None,
            Some(left) => Some(Edit {
                range: argument.range(),
                text: left,
            }),
        }
    });
    apply(text, edits.collect())
}

/// What is left of an import, or of a part of one.
fn kept(node: &SyntaxNode<'_>, unused: &dyn Fn(&str) -> bool) -> Option<String> {
    let whole = || Some(node.text().into_owned());
    match &*node.kind() {
        "use_list" => {
            let parts: Vec<_> = node.named_children().collect();
            let left: Vec<_> = parts.iter().filter_map(|part| kept(part, unused)).collect();
            if left.len() == parts.len()
                && left
                    .iter()
                    .zip(&parts)
                    .all(|(left, part)| *left == part.text())
            {
                return whole();
            }
            match left.as_slice() {
                [] => None,
                [only] if only != "self" => Some(only.clone()),
                _ => Some(format!("{{{}}}", left.join(", "))),
            }
        }
        "scoped_use_list" => {
            let list = node.field("list")?;
            let left = kept(&list, unused)?;
            if left == list.text() {
                return whole();
            }
            let path = node
                .field("path")
                .map(|path| path.text().into_owned())
                .unwrap_or_default();
            Some(if left == "{self}" {
                path
            } else {
                format!("{path}::{left}")
            })
        }
        "use_as_clause" => {
            let alias = node.field("alias")?;
            (alias.text() == "_" || !unused(&alias.text())).then(whole)?
        }
        "use_wildcard" | "self" => whole(),
        "scoped_identifier" => {
            let name = node.field("name")?;
            (!unused(&name.text())).then(whole)?
        }
        _ => (!unused(&node.text())).then(whole)?,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(before: &str, after: &str) -> Option<String> {
        let path = "services/some/src/lib.rs";
        let before = Tree::of_texts([(path, before)]);
        let mut tree = Tree::of_texts([(path, after)]);
        sweep(&mut tree, &before, &Names::of(&before));
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
    fn a_type_goes_with_all_that_is_implemented_for_it() {
        let rest = "struct It;\nimpl It {\n    fn new() -> It {\n        It\n    }\n}\nimpl Drop for It {\n    fn drop(&mut self) {}\n}\npub fn f() {}\n";
        let before = format!("{rest}pub fn g() {{ It::new(); }}\n");
        let after = format!("{rest}pub fn g() {{}}\n");
        let left = "pub fn f() {}\npub fn g() {}\n";
        assert_eq!(swept(&before, &after).as_deref(), Some(left));
    }
}
