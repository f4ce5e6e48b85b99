//! Which file of a crate imports which, read from their `use` items and paths.
//!
//! A door that passes on what another file has (`pub use`) is no import, and who comes through it imports that file.
//! Tests are left out, and so is what stands in macros.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, UseTree, Visibility};

/// A module by the names that lead to it from the root of the crate.
type Module = Vec<String>;

/// The files of one crate by their modules, and who imports whom.
#[derive(Debug)]
pub(crate) struct Imports {
    arrows: BTreeMap<Module, BTreeSet<Module>>,
}

impl Imports {
    /// Reads what stands below `source`, the folder with `lib.rs` or `main.rs`.
    pub(crate) fn read(source: &Path) -> Self {
        let files: BTreeMap<Module, File> = sources(source)
            .into_iter()
            .map(|(module, path)| {
                let file = File::read(&module, &path);
                (module, file)
            })
            .collect();
        let arrows = files.iter().map(|(module, file)| {
            let targets = file.paths.iter().map(|path| home(&files, path.clone()));
            let others = targets.filter(|target| target != module).collect();
            (module.clone(), others)
        });
        Self {
            arrows: arrows.collect(),
        }
    }

    /// The shortest way from each module back to itself, where there is one; a circle is told once.
    pub(crate) fn circles(&self) -> Vec<String> {
        let mut seen: BTreeSet<BTreeSet<Module>> = BTreeSet::new();
        let mut told = Vec::new();
        for module in self.arrows.keys() {
            let Some(way) = self.way_back(module) else {
                continue;
            };
            if seen.insert(way.iter().cloned().collect()) {
                let names: Vec<_> = way.iter().map(name).collect();
                told.push(names.join(" -> "));
            }
        }
        told
    }

    /// Every arrow from a module that is none of `upper`, nor within one, to one that is.
    pub(crate) fn upwards(&self, upper: &[&str], doors: &[&str]) -> Vec<String> {
        let is_upper = |module: &Module| upper.contains(&top(module));
        let mut found = Vec::new();
        for (from, targets) in &self.arrows {
            if is_upper(from) || doors.contains(&top(from)) {
                continue;
            }
            let arrows = targets.iter().filter(|target| is_upper(target));
            found.extend(arrows.map(|to| format!("{} -> {}", name(from), name(to))));
        }
        found
    }

    fn way_back(&self, start: &Module) -> Option<Vec<Module>> {
        let mut ways = vec![vec![start.clone()]];
        let mut reached = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                for next in &self.arrows[way.last()?] {
                    let mut way = way.clone();
                    way.push(next.clone());
                    if next == start {
                        return Some(way);
                    }
                    if reached.insert(next.clone()) {
                        longer.push(way);
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

fn top(module: &Module) -> &str {
    module.first().map_or("", String::as_str)
}

fn name(module: &Module) -> String {
    if module.is_empty() {
        "the root".to_owned()
    } else {
        module.join("/")
    }
}

/// One file: what it says of others, as paths from the root of the crate.
#[derive(Debug, Default)]
struct File {
    paths: Vec<Module>,
    /// What it passes on by which name; `*` for all there is.
    doors: Vec<(String, Module)>,
}

impl File {
    fn read(module: &Module, path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a file");
        let parsed = syn::parse_file(&text);
        let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut reader = Reader {
            module: module.clone(),
            children: children(&parsed.items),
            file: Self::default(),
        };
        reader.visit_file(&parsed);
        reader.file
    }
}

/// The file in which what `path` names stands: through doors, and else the longest part of it that is a file.
fn home(files: &BTreeMap<Module, File>, mut path: Module) -> Module {
    // More doors than that behind each other lead in a circle.
    for _ in 0..8 {
        let length = (0..=path.len()).rev();
        let length = length.into_iter().find(|n| files.contains_key(&path[..*n]));
        let (module, rest) = path.split_at(length.unwrap_or_default());
        let doors = files.get(module).map_or(&[][..], |file| &file.doors);
        let Some((name, _)) = rest.split_first() else {
            return module.to_owned();
        };
        let Some((_, target)) = doors.iter().find(|(door, _)| door == name) else {
            return module.to_owned();
        };
        path = target.iter().chain(&rest[1..]).cloned().collect();
    }
    path
}

/// The modules below `source` with their files, without those of tests and of programs of their own.
fn sources(source: &Path) -> BTreeMap<Module, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(source.to_owned(), Module::new())];
    while let Some((folder, module)) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let stem = stem.expect("a name").to_owned();
            let below: Module = module.iter().cloned().chain([stem.clone()]).collect();
            let is_test = stem == "tests" || stem.ends_with("_tests");
            if path.is_dir() && !is_test && stem != "bin" {
                folders.push((path, below));
            } else if path.extension().is_some_and(|end| end == "rs") && !is_test {
                let is_root = module.is_empty() && ["lib", "main"].contains(&&*stem);
                if stem == "mod" || is_root {
                    // Beside a library, `main.rs` is a crate of its own.
                    if stem != "main" || !found.contains_key(&module) {
                        found.insert(module.clone(), path);
                    }
                } else {
                    found.insert(below, path);
                }
            }
        }
    }
    found
}

fn children(items: &[Item]) -> Vec<String> {
    let names = items.iter().filter_map(|item| match item {
        Item::Mod(item) => Some(item.ident.to_string()),
        _ => None,
    });
    names.collect()
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let mut cfgs = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    cfgs.any(|cfg| {
        let list = cfg.meta.require_list();
        list.is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

/// Walks through a file and notes the paths in it.
struct Reader {
    module: Module,
    children: Vec<String>,
    file: File,
}

impl Reader {
    /// From the root of the crate; none for what other crates have.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let mut base = self.module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {}
            child if self.children.iter().any(|known| known == child) => {}
            _ => return None,
        }
        while rest.first().is_some_and(|first| first == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }
}

impl Visit<'_> for Reader {
    fn visit_item(&mut self, item: &Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        let Some((_, items)) = &item.content else {
            return;
        };
        // What stands in an inner module stands in this file.
        let outer = std::mem::replace(&mut self.children, children(items));
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
        self.children = outer;
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        let mut leaves = Vec::new();
        leaves_of(&item.tree, &mut Vec::new(), &mut leaves);
        let is_door = !matches!(item.vis, Visibility::Inherited);
        for (path, name) in leaves {
            let Some(path) = self.absolute(&path) else {
                continue;
            };
            if is_door {
                self.file.doors.push((name, path));
            } else {
                self.file.paths.push(path);
            }
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names: Vec<_> = path
            .segments
            .iter()
            .map(|one| one.ident.to_string())
            .collect();
        // One name alone is a variable or a type, and comes from where it was imported.
        if names.len() > 1
            && let Some(path) = self.absolute(&names)
        {
            self.file.paths.push(path);
        }
        visit::visit_path(self, path);
    }
}

/// Each path of a `use` item, and the name that it gives.
fn leaves_of(tree: &UseTree, before: &mut Module, leaves: &mut Vec<(Module, String)>) {
    let whole = |last: &str| {
        before
            .iter()
            .cloned()
            .chain([last.to_owned()])
            .collect::<Module>()
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves_of(&path.tree, before, leaves);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            let name = before.last().cloned().unwrap_or_default();
            leaves.push((before.clone(), name));
        }
        UseTree::Name(name) => {
            leaves.push((whole(&name.ident.to_string()), name.ident.to_string()));
        }
        UseTree::Rename(rename) => {
            leaves.push((whole(&rename.ident.to_string()), rename.rename.to_string()));
        }
        UseTree::Glob(_) => leaves.push((before.clone(), "*".to_owned())),
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves_of(tree, before, leaves);
            }
        }
    }
}
