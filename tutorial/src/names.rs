//! The names that a step uses and defines, file by file.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::source::{SyntaxNode, parse};
use crate::tree::{Tree, is_test};

/// How often each name is used in a file, beside imports, tests and its own definition.
pub(crate) type Uses = HashMap<String, usize>;

/// Reads files, each text once.
#[derive(Debug, Default)]
pub(crate) struct Reader(HashMap<String, Rc<File>>);

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
pub(crate) fn is_swept(path: &str) -> bool {
    (path.starts_with("services/") || path.starts_with("shared/")) && !is_test(path)
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
        if let Some(file) = self.0.get(text) {
            return file.clone();
        }
        let file = Rc::new(File {
            uses: uses_in(text),
            items: items_in(text),
        });
        self.0.insert(text.to_owned(), file.clone());
        file
    }
}

impl Names {
    fn uses(&self, package: &str, name: &str) -> usize {
        let uses = self.in_package.get(package);
        let uses = uses.and_then(|uses| uses.get(name));
        uses.copied().unwrap_or_default()
    }

    pub(crate) fn uses_in(&self, path: &str, name: &str) -> bool {
        let file = self.files.get(path);
        file.is_some_and(|file| file.uses.contains_key(name))
    }

    /// The names of all items that may be swept.
    pub(crate) fn defined(&self) -> HashSet<&str> {
        let files = self.files.iter().filter(|(path, _)| is_swept(path));
        let items = files.flat_map(|(_, file)| &file.items);
        items.map(|item| item.name.as_str()).collect()
    }

    /// Whether a file has another text than it had in `before`.
    pub(crate) fn differs_in(&self, path: &str, before: &Self) -> bool {
        match (self.files.get(path), before.files.get(path)) {
            // A text is read once, so that of the same file is the same.
            (Some(now), Some(before)) => !Rc::ptr_eq(now, before),
            _ => true,
        }
    }

    /// Items of a file that were used before, and are no longer.
    pub(crate) fn unused_in(&self, path: &str, before: &Self) -> HashSet<&str> {
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

pub(crate) fn uses_in(text: &str) -> Uses {
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
pub(crate) fn not_for_tests<'t>(node: &SyntaxNode<'t>) -> Vec<SyntaxNode<'t>> {
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

pub(crate) fn name_of_item(node: &SyntaxNode<'_>) -> Option<String> {
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
pub(crate) fn is_public(node: &SyntaxNode<'_>) -> bool {
    let mut children = node.children();
    children.any(|child| child.kind() == "visibility_modifier" && child.text() == "pub")
}

/// What a trait has belongs to whoever uses the trait.
pub(crate) fn is_of_trait(node: &SyntaxNode<'_>) -> bool {
    node.kind() == "trait_item" || node.kind() == "impl_item" && node.field("trait").is_some()
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
