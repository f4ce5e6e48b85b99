//! A Rust file as a tree of syntax, and edits of its text that leave nothing dangling.

use std::ops::Range;

use ast_grep_core::tree_sitter::{LanguageExt, StrDoc};
use ast_grep_core::{AstGrep, Node};
use ast_grep_language::SupportLang;

pub(crate) type Syntax = AstGrep<StrDoc<SupportLang>>;
pub(crate) type SyntaxNode<'t> = Node<'t, StrDoc<SupportLang>>;

pub(crate) fn parse(text: &str) -> Syntax {
    SupportLang::Rust.ast_grep(text)
}

/// A part of a text, and what is to stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
}

impl Edit {
    /// Takes `node` away with all that is about it alone: the comments and attributes above it, and the rest of its line.
    pub(crate) fn remove(node: &SyntaxNode<'_>, source: &str) -> Self {
        let start = begin(node);
        let mut end = node.range().end;
        let rest = &source[end..];
        // The comma of an element, the semicolon of a `use` that is a node of its own.
        end += usize::from(rest.starts_with(','));
        let rest = &source[end..];
        if let Some(line_end) = rest.find('\n').filter(|at| rest[..*at].trim().is_empty()) {
            end += line_end + 1;
        }
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let begins_line = source[line_start..start].trim().is_empty();
        Self {
            range: if begins_line { line_start } else { start }..end,
            text: String::new(),
        }
    }
}

/// Where `node` begins, with the comments and attributes that stand directly above it.
fn begin(node: &SyntaxNode<'_>) -> usize {
    let mut first = node.clone();
    while let Some(above) = first.prev() {
        let is_about_it = matches!(&*above.kind(), "line_comment" | "block_comment" | "attribute_item")
            // A doc comment's node has the end of its line in it.
            && above.end_pos().line() + 1 >= first.start_pos().line()
            && !above.text().starts_with("//!")
            && !trails(&above);
        if !is_about_it {
            break;
        }
        first = above;
    }
    first.range().start
}

/// Whether a comment stands behind something else in its line.
fn trails(comment: &SyntaxNode<'_>) -> bool {
    let before = comment.prev();
    before.is_some_and(|before| {
        before.end_pos().line() == comment.start_pos().line() && before.end_pos().byte_point().1 > 0
    })
}

/// Makes the edits; of two that overlap, the one that takes more.
pub(crate) fn apply(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.range.start, usize::MAX - edit.range.end));
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for edit in edits {
        if edit.range.start < at {
            continue;
        }
        text.push_str(&source[at..edit.range.start]);
        text.push_str(&edit.text);
        at = edit.range.end;
    }
    text.push_str(&source[at..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(source: &str, kind: &str, nth: usize) -> String {
        let syntax = parse(source);
        let root = syntax.root();
        let node = root.dfs().filter(|node| node.kind() == kind).nth(nth);
        let edit = Edit::remove(&node.unwrap(), source);
        apply(source, vec![edit])
    }

    #[test]
    fn what_is_said_about_an_item_goes_with_it() {
        let source = "//! Of the file.\n\nuse a::b;\n\n/// Of it.\n#[must_use]\nfn it() {}\n\n/// Of another.\nfn another() {}\n";
        let left = "//! Of the file.\n\nuse a::b;\n\n\n/// Of another.\nfn another() {}\n";
        assert_eq!(without(source, "function_item", 0), left);
    }

    #[test]
    fn a_remark_behind_another_line_stays() {
        let source = "fn f() {\n    a(); // of a\n    b();\n    // of c\n    c();\n}\n";
        let without_b = "fn f() {\n    a(); // of a\n    // of c\n    c();\n}\n";
        let without_c = "fn f() {\n    a(); // of a\n    b();\n}\n";
        assert_eq!(without(source, "expression_statement", 1), without_b);
        assert_eq!(without(source, "expression_statement", 2), without_c);
    }

    #[test]
    fn of_overlapping_edits_the_larger_is_made() {
        let edit = |range, text: &str| Edit {
            range,
            text: text.to_owned(),
        };
        let edits = vec![edit(2..3, "x"), edit(1..4, "-"), edit(5..6, "y")];
        assert_eq!(apply("abcdef", edits), "a-ey");
    }
}
