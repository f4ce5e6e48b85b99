//! Turns the tree of one trace into lines, each with its branch and its notes.

use crate::span::{Span, SpanRef, Status, TraceId};
use crate::story::Story;

/// One level of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limb {
    /// The line of an ancestor that has more children below.
    Passing,
    /// An ancestor without more children.
    Bare,
    /// A child that has siblings below.
    Fork,
    /// The last child.
    Corner,
}

impl Limb {
    /// How it is drawn in one column and in two.
    pub(super) fn in_columns(self, columns: usize) -> &'static str {
        match (self, columns) {
            (Self::Passing, 1) => "│",
            (Self::Passing, _) => "│ ",
            (Self::Bare, 1) => " ",
            (Self::Bare, _) => "  ",
            (Self::Fork, 1) => "├",
            (Self::Fork, _) => "├ ",
            (Self::Corner, 1) => "└",
            (Self::Corner, _) => "└ ",
        }
    }

    /// What stands below it on the next lines.
    fn below(self) -> Self {
        match self {
            Self::Passing | Self::Fork => Self::Passing,
            Self::Bare | Self::Corner => Self::Bare,
        }
    }
}

/// A line under a span: what failed, or what it is linked to.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) is_error: bool,
}

/// A span in its place in the tree.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) span: &'a Span,
    pub(super) branch: Vec<Limb>,
    /// Follows the name: `⇠` for a link to the parent, and the attempt from the second on.
    pub(super) mark: String,
    pub(super) notes: Vec<Note>,
    /// The branch in front of its notes.
    pub(super) beneath: Vec<Limb>,
}

/// The spans of trace `id`, parents before children, siblings by time.
///
/// An orphan stands at the left edge, as a root does, with a note.
/// It walks with a stack of its own: the depth of a trace is in other people's hands.
pub(super) fn flatten(story: &Story, id: TraceId, links: bool) -> Vec<Node<'_>> {
    let tops = story
        .spans()
        .iter()
        .filter(|span| span.trace_id == id && story.parent(span).is_none());
    let mut ahead: Vec<(&Span, Vec<Limb>)> = tops.map(|span| (span, Vec::new())).collect();
    ahead.reverse();
    let mut nodes = Vec::new();
    while let Some((span, branch)) = ahead.pop() {
        let children: Vec<&Span> = story.children(span).collect();
        let trunk: Vec<Limb> = branch.iter().map(|limb| limb.below()).collect();
        for (at, child) in children.iter().rev().enumerate() {
            let limb = if at == 0 { Limb::Corner } else { Limb::Fork };
            ahead.push((child, [trunk.as_slice(), &[limb]].concat()));
        }
        let stem = if children.is_empty() {
            Limb::Bare
        } else {
            Limb::Passing
        };
        let beneath = [trunk.as_slice(), &[stem]].concat();
        nodes.push(Node {
            span,
            branch,
            mark: mark(span),
            notes: notes(story, span, links),
            beneath,
        });
    }
    nodes
}

fn mark(span: &Span) -> String {
    let link = span
        .parent_reference()
        .is_some_and(|parent| span.links.contains(&parent));
    let attempt = span.attempt().filter(|attempt| *attempt > 1);
    let link = if link { " ⇠" } else { "" };
    format!(
        "{link}{}",
        attempt
            .map(|attempt| format!(" attempt {attempt}"))
            .unwrap_or_default()
    )
}

fn notes(story: &Story, span: &Span, links: bool) -> Vec<Note> {
    let mut notes: Vec<Note> = failure(story, span)
        .into_iter()
        .map(|text| Note {
            text,
            is_error: true,
        })
        .collect();
    if links {
        notes.extend(relations(story, span).map(|text| Note {
            text,
            is_error: false,
        }));
    }
    notes
}

fn failure(story: &Story, span: &Span) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(parent) = span.parent.filter(|_| story.parent(span).is_none()) {
        failures.push(format!("✗ orphan: its parent {parent} is not in the trace"));
    }
    if let Status::Error(message) = &span.status {
        let kind = span
            .attribute("error.type")
            .map(ToString::to_string)
            .unwrap_or_default();
        let facts = [kind, message.clone()]
            .into_iter()
            .filter(|fact| !fact.is_empty());
        let facts: Vec<String> = facts.collect();
        failures.push(format!(
            "✗ {}",
            if facts.is_empty() {
                "failed".to_owned()
            } else {
                facts.join(": ")
            }
        ));
    }
    failures
}

/// The links in either direction that the tree itself does not show.
fn relations<'a>(story: &'a Story, span: &'a Span) -> impl Iterator<Item = String> + 'a {
    let parent = span.parent_reference();
    let out = span.links.iter().filter(move |link| Some(**link) != parent);
    let back = story
        .backlinks(span)
        .filter(|other| other.parent_reference() != Some(span.reference()));
    let out = out.map(|link| format!("⇠ link to {}", describe(story, *link)));
    out.chain(back.map(|other| format!("⇢ linked from {} {}", other.service, other.name)))
}

fn describe(story: &Story, link: SpanRef) -> String {
    match story.get(link) {
        Some(span) => format!("{} {}", span.service, span.name),
        None => format!(
            "span {} of trace {}, which is not stored here",
            link.span_id, link.trace_id
        ),
    }
}
