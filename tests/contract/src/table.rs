//! The words a scenario's table is written in.

use std::fmt;

use crate::pattern;
use story::{Kind, Span, Story, Value};

/// One way an order can go, as a table of the spans of its story.
///
/// The table is complete: a span that no row describes breaks the contract.
#[derive(Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// How the traces of messages relate to those that sent them.
    pub relation: Relation,
    /// Rows, grouped so that scenarios can share groups. A row stands below the one its edge names.
    pub chapters: &'static [&'static [Row]],
}

/// How the span that handles a message relates to the one that sent it: `MESSAGING_TRACE_RELATION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Its child, and linked to it: one trace.
    Parent,
    /// Linked to it, in a trace of its own.
    Link,
}

impl Relation {
    /// How `story` is told, by its first message.
    pub fn of(story: &Story) -> Self {
        let mut messages = story
            .spans()
            .iter()
            .filter(|span| span.kind == Kind::Consumer);
        match messages.next() {
            Some(first) if first.parent.is_none() && !first.links.is_empty() => Self::Link,
            _ => Self::Parent,
        }
    }
}

impl Scenario {
    /// All rows, from the top.
    pub fn rows(&self) -> impl Iterator<Item = &'static Row> + use<> {
        self.chapters.iter().copied().flatten()
    }

    /// How `row` hangs in a story of this scenario.
    pub(crate) fn edge_of(&self, row: &Row) -> Edge {
        match (row.edge, self.relation) {
            (Edge::MessageOf(id), Relation::Parent) => Edge::ChildAndLinkOf(id),
            (Edge::MessageOf(id), Relation::Link) => Edge::LinkOf(id),
            (edge, _) => edge,
        }
    }

    /// Whether the table describes spans of the service that made `span`: others may join in, and are their own affair.
    pub(crate) fn is_about(&self, span: &Span) -> bool {
        self.rows().any(|row| row.service == span.service)
    }

    /// The row that others call `id`.
    pub(crate) fn row(&self, id: &str) -> &'static Row {
        self.rows()
            .find(|row| row.id == id)
            .expect("an edge names a row of its own scenario")
    }
}

/// One kind of span of a story: what it is called, and where it hangs.
#[derive(Debug)]
pub struct Row {
    /// The name by which the edges of other rows refer to this one.
    pub id: &'static str,
    /// The span's name; `<…>` stands for any text. Braces stand for themselves: they are route templates.
    pub span: &'static str,
    pub service: &'static str,
    pub kind: Kind,
    pub edge: Edge,
    pub over: Transport,
    pub count: Count,
    pub outcome: Outcome,
    /// Tells spans apart that differ in nothing above; a span without them is not of this row.
    pub only: &'static [Attribute],
    /// What each span of this row must carry.
    pub has: &'static [Attribute],
    /// Whether it is one of the last spans of its story; without them the story is not complete.
    pub ends: bool,
    /// Whether it is there when its message is handled again.
    pub repeat: Repeat,
}

/// A row with one successful span under each span of the row above; the methods below change that.
pub(crate) const fn row(
    id: &'static str,
    span: &'static str,
    service: &'static str,
    kind: Kind,
    edge: Edge,
) -> Row {
    Row {
        id,
        span,
        service,
        kind,
        edge,
        over: Transport::InProcess,
        count: Count::between(1, 1),
        outcome: Outcome::Succeeds,
        only: &[],
        has: &[],
        ends: false,
        repeat: Repeat::DoesItToo,
    }
}

impl Row {
    pub(crate) const fn over(self, over: Transport) -> Self {
        Self { over, ..self }
    }

    pub(crate) const fn times(self, count: Count) -> Self {
        Self { count, ..self }
    }

    pub(crate) const fn only(self, only: &'static [Attribute]) -> Self {
        Self { only, ..self }
    }

    pub(crate) const fn has(self, has: &'static [Attribute]) -> Self {
        Self { has, ..self }
    }

    pub(crate) const fn fails(self) -> Self {
        Self {
            outcome: Outcome::Fails,
            ..self
        }
    }

    pub(crate) const fn ends_the_story(self) -> Self {
        Self { ends: true, ..self }
    }

    pub(crate) const fn once(self) -> Self {
        Self {
            repeat: Repeat::FindsItDone,
            ..self
        }
    }

    pub(crate) const fn only_in_a_repeat(self) -> Self {
        Self {
            repeat: Repeat::AddsIt,
            ..self
        }
    }

    /// Whether `span` is of this row, wherever it hangs.
    pub(crate) fn describes(&self, span: &Span) -> bool {
        span.kind == self.kind
            && span.service == self.service
            && pattern::matches(self.span, &span.name)
            && self.only.iter().all(|attribute| attribute.is_met_by(span))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}, {})", self.span, self.service, self.kind)
    }
}

/// How a span hangs in the story; the name is another row's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    Root,
    ChildOf(&'static str),
    /// A message handled on its own: one of the next two, as the scenario's [`Relation`] says.
    MessageOf(&'static str),
    /// One trace, and the link all the same.
    ChildAndLinkOf(&'static str),
    /// A trace of its own.
    LinkOf(&'static str),
}

impl Edge {
    /// The id of the row at the other end.
    pub fn from(self) -> Option<&'static str> {
        match self {
            Self::Root => None,
            Self::ChildOf(row)
            | Self::MessageOf(row)
            | Self::ChildAndLinkOf(row)
            | Self::LinkOf(row) => Some(row),
        }
    }

    pub(crate) fn is_child(self) -> bool {
        matches!(self, Self::ChildOf(_) | Self::ChildAndLinkOf(_))
    }

    pub(crate) fn is_link(self) -> bool {
        matches!(self, Self::LinkOf(_) | Self::ChildAndLinkOf(_))
    }
}

/// What carries the trace context along an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    InProcess,
    Http,
    Outbox,
    Kafka,
    Sqs,
    PubSub,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProcess => "within the process",
            Self::Http => "over http",
            Self::Outbox => "over the outbox",
            Self::Kafka => "over kafka",
            Self::Sqs => "over sqs",
            Self::PubSub => "over pubsub",
        })
    }
}

/// How many spans of a row hang under *each* span of the row above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub least: usize,
    pub most: usize,
}

impl Count {
    pub(crate) const OPTIONAL: Self = Self::between(0, 1);
    pub(crate) const SOME: Self = Self::between(1, usize::MAX);

    pub(crate) const fn between(least: usize, most: usize) -> Self {
        Self { least, most }
    }

    pub(crate) fn allows(self, found: usize) -> bool {
        (self.least..=self.most).contains(&found)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, usize::MAX) => write!(f, "{least} or more"),
            (least, most) if least == most => write!(f, "{least}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

/// The status a span must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Unset.
    Succeeds,
    /// Error, with `error.type`.
    Fails,
}

/// What the second handling of a message has to do with the work that a span stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    DoesItToo,
    /// It is not to be done twice.
    FindsItDone,
    /// The first had no need of it: it looks at what was done before.
    AddsIt,
}

/// An attribute a span must have.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    pub name: &'static str,
    pub value: Expected,
}

/// What an attribute's value must be.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    Anything,
    Text(&'static str),
    Number(i64),
}

pub(crate) const fn any(name: &'static str) -> Attribute {
    Attribute {
        name,
        value: Expected::Anything,
    }
}

pub(crate) const fn is(name: &'static str, value: &'static str) -> Attribute {
    Attribute {
        name,
        value: Expected::Text(value),
    }
}

pub(crate) const fn number(name: &'static str, value: i64) -> Attribute {
    Attribute {
        name,
        value: Expected::Number(value),
    }
}

impl Attribute {
    pub(crate) fn is_met_by(&self, span: &Span) -> bool {
        match (self.value, span.attribute(self.name)) {
            (_, None) => false,
            (Expected::Anything, Some(_)) => true,
            (Expected::Text(expected), Some(value)) => {
                matches!(value, Value::String(text) if text == expected)
            }
            (Expected::Number(expected), Some(value)) => *value == expected,
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Expected::Anything => write!(f, "`{}`", self.name),
            Expected::Text(text) => write!(f, "`{}` = `{text}`", self.name),
            Expected::Number(number) => write!(f, "`{}` = {number}", self.name),
        }
    }
}
