//! What a chapter brings and no rule takes back: it would not compile without the rest.

use std::collections::HashSet;

use crate::names::{is_swept, not_for_tests};
use crate::source::{SyntaxNode, parse};
use crate::tree::Tree;

/// The first place at which something of `gone` is still called, or named as a type.
pub(crate) fn left_behind(tree: &Tree, gone: &HashSet<&str>) -> Option<String> {
    let mut files = tree
        .rust()
        .filter(|(path, _)| is_swept(path) && tree.is_compiled(path));
    files.find_map(|(path, text)| {
        // Most files have none of the names, and need not be parsed.
        if !gone.iter().any(|name| text.contains(name)) {
            return None;
        }
        let syntax = parse(text);
        let mut ahead = vec![syntax.root()];
        while let Some(node) = ahead.pop() {
            let name = called(&node).filter(|name| gone.contains(&**name));
            // A closure may have the name of a function elsewhere.
            if let Some(name) = name.filter(|name| !text.contains(&format!("let {name} ="))) {
                let line = node.start_pos().line() + 1;
                return Some(format!("{path}:{line} uses `{name}`"));
            }
            ahead.extend(not_for_tests(&node));
        }
        None
    })
}

/// The name of the function that is called. Methods are left to the compiler, since a name may be that of several.
fn called(node: &SyntaxNode<'_>) -> Option<String> {
    let function = match &*node.kind() {
        "call_expression" => node.field("function")?,
        "type_identifier" => return Some(node.text().into_owned()),
        _ => return None,
    };
    let name = match &*function.kind() {
        "identifier" => function,
        "scoped_identifier" => function.field("name")?,
        _ => return None,
    };
    Some(name.text().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> Option<String> {
        let tree = Tree::of_texts([("services/some/src/lib.rs", text)]);
        left_behind(&tree, &HashSet::from(["traced", "Relation"]))
    }

    #[test]
    fn a_call_that_no_rule_met_is_named_with_its_place() {
        let place = "services/some/src/lib.rs:2 uses `traced`";
        let calls = ["traced(a)", "telemetry::sql::traced(a, b)"];
        for call in calls {
            let text = format!("fn f() {{\n    {call}\n}}\n");
            assert_eq!(left(&text).as_deref(), Some(place), "{call}");
        }
        assert!(left("fn f(_: Relation) {}\n").is_some());
    }

    #[test]
    fn what_only_has_the_same_name_is_nobodys_fault() {
        let texts = [
            "fn f(it: It) { it.traced() }\n",
            "fn f() { let traced = |_| 1; traced(2); }\n",
            "#[cfg(test)]\nmod tests { fn f() { traced() } }\n",
        ];
        for text in texts {
            assert_eq!(left(text), None, "{text}");
        }
    }
}
