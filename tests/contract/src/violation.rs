//! What can be wrong with a story, in words.

use std::fmt;

use crate::table::{Edge, Row};
use story::TraceId;

/// A story that breaks the contract.
///
/// Its `Display` names the first violation, then some of the others, then shows the waterfall.
#[derive(Debug)]
pub struct Broken {
    pub scenario: &'static str,
    pub trace: TraceId,
    /// At least one, the first broken edge first.
    pub violations: Vec<Violation>,
    /// The story, drawn without colour.
    pub waterfall: String,
}

/// How many violations are worth reading; the rest are mostly consequences.
const MAX_SHOWN: usize = 6;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "trace {} breaks the contract `{}`",
            self.trace, self.scenario
        )?;
        for violation in self.violations.iter().take(MAX_SHOWN) {
            writeln!(f, "  {violation}")?;
        }
        if let Some(more @ 1..) = self.violations.len().checked_sub(MAX_SHOWN) {
            writeln!(f, "  and {more} more")?;
        }
        write!(f, "\n{}", self.waterfall)
    }
}

impl std::error::Error for Broken {}

/// One thing that is wrong with a story.
#[derive(Debug)]
pub enum Violation {
    /// A span is not where its row says: the trace context was lost on the way.
    BrokenEdge {
        row: &'static Row,
        edge: Edge,
        from: Option<&'static Row>,
        instead: String,
    },
    /// Anything else, in plain words.
    Rule { rule: Rule, problem: String },
}

impl Violation {
    pub(crate) fn of(rule: Rule, problem: String) -> Self {
        Self::Rule { rule, problem }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenEdge {
                row,
                edge,
                from: Some(from),
                instead,
            } => {
                let how = relation(*edge);
                write!(
                    f,
                    "broken edge: {row} should be {how} {from} {}, but {instead}",
                    row.over
                )
            }
            Self::BrokenEdge {
                row,
                from: None,
                instead,
                ..
            } => write!(f, "no root: {row} should begin the story, but {instead}"),
            Self::Rule { rule, problem } => write!(f, "{rule}: {problem}"),
        }
    }
}

fn relation(edge: Edge) -> &'static str {
    match edge {
        Edge::Root => "the root of",
        Edge::ChildOf(_) => "child of",
        Edge::MessageOf(_) | Edge::ChildAndLinkOf(_) => "child of and linked to",
        Edge::LinkOf(_) => "linked to",
    }
}

/// The rules besides the edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Count,
    Unexpected,
    Status,
    MissingAttribute,
    ForbiddenAttribute,
    Root,
    Orphan,
    DanglingLink,
    Sender,
    Attempts,
    QueueTime,
    Clock,
    Ending,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "wrong count",
            Self::Unexpected => "unexpected span",
            Self::Status => "wrong status",
            Self::MissingAttribute => "missing attribute",
            Self::ForbiddenAttribute => "forbidden attribute",
            Self::Root => "wrong number of roots",
            Self::Orphan => "orphan",
            Self::DanglingLink => "dangling link",
            Self::Sender => "wrong sender",
            Self::Attempts => "wrong attempts",
            Self::QueueTime => "wrong queue time",
            Self::Clock => "wrong order of time",
            Self::Ending => "no ending",
        })
    }
}
