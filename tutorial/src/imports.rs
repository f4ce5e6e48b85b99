//! Imports without the names that are not used.

use crate::source::{Edit, SyntaxNode, apply, parse};

/// `text` without the imported names that are `unused`.
pub(crate) fn without_imports(text: &str, unused: &dyn Fn(&str) -> bool) -> String {
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
