//! Sweeping up after the rules: what nobody uses any more since they were applied.
//!
//! A rule takes back a call; the import of what was called, the helper that only it had, and the helper's own helpers
//! go by themselves. Only what was used before and no longer is goes: what nobody uses on main, such as a function for
//! users of a library, stays.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use crate::source::{Edit, SyntaxNode, apply, parse};
use crate::tree::Tree;

/// How often each name is used in a file, beside imports, tests and its own definition.
type Uses = HashMap<String, usize>;

/// Reads files, each text once.
#[derive(Debug, Default)]
pub(crate) struct Reader(HashMap<u64, Rc<File>>);

#[derive(Debug, Default)]
struct File {
    uses: Uses,
    items: Vec<Item>,
}

/// An item that is defined somewhere.
#[derive(Debug)]
struct Item {
    name: String,
    is_public: bool,
    /// How often it uses itself.
    own_uses: usize,
}

/// The names that are used in a step.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// By the folder of the package: what is not public is used nowhere else.
    in_package: HashMap<String, Uses>,
    files: HashMap<String, Rc<File>>,
}

/// What may be swept: the parts of the repository that the chapters are about.
fn is_swept(path: &str) -> bool {
    (path.starts_with("services/") || path.starts_with("shared/")) && !is_test(path)
}

/// Whether a file has nothing in it but tests and what they need.
pub(crate) fn is_test(path: &str) -> bool {
    let folders = ["/tests/", "/benches/", "/examples/"];
    let files = ["/tests.rs", "_tests.rs", "/testing.rs", "/fuzzing.rs"];
    folders.iter().any(|folder| path.contains(folder))
        || files.iter().any(|file| path.ends_with(file))
}

/// Such as `shared/web`.
fn package(path: &str) -> &str {
    let mut slashes = path.match_indices('/');
    slashes.nth(1).map_or("", |(end, _)| &path[..end])
}

impl Reader {
    pub(crate) fn names(&mut self, tree: &Tree) -> Names {
        let mut names = Names::default();
        for (path, text) in tree.rust().filter(|(path, _)| !is_test(path)) {
            let file = self.file(text);
            let package = package(path).to_owned();
            let sums = names.in_package.entry(package).or_default();
            for (name, count) in &file.uses {
                match sums.get_mut(name) {
                    Some(sum) => *sum += count,
                    None => {
                        sums.insert(name.clone(), *count);
                    }
                }
            }
            names.files.insert(path.to_owned(), file);
        }
        names
    }

    fn file(&mut self, text: &str) -> Rc<File> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let file = self.0.entry(hasher.finish());
        let read = || File {
            uses: uses_in(text),
            items: items_in(text),
        };
        file.or_insert_with(|| Rc::new(read())).clone()
    }
}

impl Names {
    fn uses(&self, package: &str, name: &str) -> usize {
        let uses = self.in_package.get(package);
        let uses = uses.and_then(|uses| uses.get(name));
        uses.copied().unwrap_or_default()
    }

    fn uses_in(&self, path: &str, name: &str) -> bool {
        let file = self.files.get(path);
        file.is_some_and(|file| file.uses.contains_key(name))
    }

    /// The names of all items that may be swept.
    fn defined(&self) -> HashSet<&str> {
        let files = self.files.iter().filter(|(path, _)| is_swept(path));
        let items = files.flat_map(|(_, file)| &file.items);
        items.map(|item| item.name.as_str()).collect()
    }

    /// Items of a file that were used before, and are no longer.
    fn unused_in(&self, path: &str, before: &Self) -> HashSet<&str> {
        let items = self
            .files
            .get(path)
            .into_iter()
            .flat_map(|file| &file.items);
        let package = package(path);
        let unused = items.filter(|item| {
            let was_used = before.uses(package, &item.name) > 0;
            let is_used = self.uses(package, &item.name) > item.own_uses;
            !item.is_public && was_used && !is_used
        });
        unused.map(|item| item.name.as_str()).collect()
    }
}

fn items_in(text: &str) -> Vec<Item> {
    let syntax = parse(text);
    let mut items = Vec::new();
    let mut ahead = vec![syntax.root()];
    while let Some(node) = ahead.pop() {
        if let Some(name) = name_of_item(&node) {
            let names = node.dfs().filter(|inner| is_name(&inner.kind()));
            let own = names.filter(|inner| inner.text() == name && !is_definition(inner));
            items.push(Item {
                own_uses: own.count(),
                is_public: is_public(&node),
                name,
            });
        }
        if !is_of_trait(&node) {
            ahead.extend(not_for_tests(&node));
        }
    }
    items
}

fn uses_in(text: &str) -> Uses {
    let mut uses = Uses::new();
    let syntax = parse(text);
    let mut ahead = vec![syntax.root()];
    while let Some(node) = ahead.pop() {
        let kind = node.kind();
        match &*kind {
            "use_declaration" => {}
            "string_content" => {
                for name in named_in(&node.text()) {
                    *uses.entry(name.to_owned()).or_default() += 1;
                }
            }
            kind if is_name(kind) => {
                let count = uses.entry(node.text().into_owned()).or_default();
                *count += usize::from(!is_definition(&node));
            }
            _ => ahead.extend(not_for_tests(&node)),
        }
    }
    uses
}

/// The parts of a node that are not compiled for tests alone.
fn not_for_tests<'t>(node: &SyntaxNode<'t>) -> Vec<SyntaxNode<'t>> {
    let mut left = Vec::new();
    let mut is_for_tests = false;
    for child in node.children() {
        if child.kind() == "attribute_item" {
            is_for_tests |= child.text().contains("cfg(test)");
            left.push(child);
        } else if !matches!(&*child.kind(), "line_comment" | "block_comment") {
            if !is_for_tests {
                left.push(child);
            }
            is_for_tests = false;
        }
    }
    left
}

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
        let is_touched = before.files.get(&path).is_none_or(|file| {
            now.files
                .get(&path)
                .is_none_or(|now| !Rc::ptr_eq(file, now))
        });
        if unused.is_empty() && !is_touched {
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
            without_imports(text, &|name| {
                gone.contains(name)
                    || is_touched
                        && names_before.uses_in(&path, name)
                        && !names.uses_in(&path, name)
            })
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

/// What a trait has belongs to whoever uses the trait.
fn is_of_trait(node: &SyntaxNode<'_>) -> bool {
    node.kind() == "trait_item" || node.kind() == "impl_item" && node.field("trait").is_some()
}

/// The name of a type without its parameters.
fn base(node: &SyntaxNode<'_>) -> String {
    match &*node.kind() {
        "generic_type" => node.field("type").map(|it| base(&it)).unwrap_or_default(),
        _ => node.text().into_owned(),
    }
}

fn is_name(kind: &str) -> bool {
    matches!(
        kind,
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

/// Names in a string: `{name}` in the text of a format, and a path alone, as in `#[serde(with = "path::to")]`.
fn named_in(text: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    if text
        .split("::")
        .all(|part| !part.is_empty() && part.chars().all(is_name))
    {
        return text.split("::").collect();
    }
    let inside = text.split('{').skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !is_name(c))?;
        Some(&rest[..end]).filter(|name| !name.is_empty())
    });
    inside.collect()
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
    let edits = uses.filter_map(|node| {
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
    fn a_type_goes_with_all_that_is_implemented_for_it() {
        let rest = "struct It;\nimpl It {\n    fn new() -> It {\n        It\n    }\n}\nimpl Drop for It {\n    fn drop(&mut self) {}\n}\npub fn f() {}\n";
        let before = format!("{rest}pub fn g() {{ It::new(); }}\n");
        let after = format!("{rest}pub fn g() {{}}\n");
        let left = "pub fn f() {}\npub fn g() {}\n";
        assert_eq!(swept(&before, &after).as_deref(), Some(left));
    }
}
