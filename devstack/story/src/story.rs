//! One order's story: every trace reachable from one of them over parents and links.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use crate::span::{Kind, Span, SpanRef, TraceId};

/// Who handles which message: service, span name, and the span that sent it.
pub type Delivered<'a> = (&'a str, &'a str, Option<SpanRef>);

/// The spans of one order, in the order they began, with the edges between them.
#[derive(Debug, Clone)]
pub struct Story {
    origin: TraceId,
    spans: Vec<Span>,
    neighbours: Vec<Span>,
    index: HashMap<SpanRef, usize>,
    children: HashMap<SpanRef, Vec<usize>>,
}

impl Story {
    /// Builds the story that began with the trace `origin`.
    ///
    /// `neighbours` are spans that link into the story without belonging to it, such as a batch `receive`.
    pub fn new(origin: TraceId, mut spans: Vec<Span>, mut neighbours: Vec<Span>) -> Self {
        // Clocks are coarse, so a child may begin in the very nanosecond of its parent: longer first.
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.span_id));
        let index: HashMap<_, _> = spans
            .iter()
            .enumerate()
            .map(|(at, span)| (span.reference(), at))
            .collect();
        neighbours.retain(|span| !index.contains_key(&span.reference()));
        let mut children: HashMap<SpanRef, Vec<usize>> = HashMap::new();
        for (at, span) in spans.iter().enumerate() {
            if let Some(parent) = span.parent_reference() {
                children.entry(parent).or_default().push(at);
            }
        }
        Self {
            origin,
            spans,
            neighbours,
            index,
            children,
        }
    }

    /// The trace the story was asked for.
    pub fn origin(&self) -> TraceId {
        self.origin
    }

    /// All spans, by the time they began.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The span a link or a parent id points at, if it is in the story.
    pub fn get(&self, reference: SpanRef) -> Option<&Span> {
        self.index.get(&reference).map(|at| &self.spans[*at])
    }

    /// The span this one hangs under, if it is in the story.
    pub fn parent(&self, span: &Span) -> Option<&Span> {
        self.get(span.parent_reference()?)
    }

    /// The spans that hang under this one, by the time they began.
    pub fn children(&self, span: &Span) -> impl Iterator<Item = &Span> {
        let at = self.children.get(&span.reference());
        at.into_iter().flatten().map(|at| &self.spans[*at])
    }

    /// The spans without a parent, by the time they began; one per trace when nothing is broken.
    pub fn roots(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(|span| span.parent.is_none())
    }

    /// The roots that do not continue the story by a link into another of its traces; one when nothing is broken.
    ///
    /// A message with `MESSAGING_TRACE_RELATION=link`, a person's decision and a dead letter that was redriven do.
    pub fn beginnings(&self) -> impl Iterator<Item = &Span> {
        let continues = |root: &Span| {
            let mut linked = root.links.iter().filter_map(|link| self.get(*link));
            linked.any(|other| other.trace_id != root.trace_id)
        };
        self.roots().filter(move |root| !continues(root))
    }

    /// The spans whose parent was never stored.
    pub fn orphans(&self) -> impl Iterator<Item = &Span> {
        self.spans
            .iter()
            .filter(|span| span.parent.is_some() && self.parent(span).is_none())
    }

    /// The links whose other end was never stored, each with the span that carries it.
    pub fn dangling_links(&self) -> impl Iterator<Item = (&Span, SpanRef)> {
        let own = self.spans.iter().filter(|span| !span.is_broker_call());
        let links = own.flat_map(|span| span.links.iter().map(move |link| (span, *link)));
        links.filter(|(_, link)| self.get(*link).is_none())
    }

    /// The spans that link to this one: those of the story first, then the neighbours.
    pub fn backlinks(&self, span: &Span) -> impl Iterator<Item = &Span> {
        let target = span.reference();
        self.spans
            .iter()
            .chain(&self.neighbours)
            .filter(move |other| other.links.contains(&target))
    }

    /// The CONSUMER spans of each message and consumer, by the time they began.
    pub fn deliveries(&self) -> BTreeMap<Delivered<'_>, Vec<&Span>> {
        let mut deliveries: BTreeMap<_, Vec<&Span>> = BTreeMap::new();
        for span in &self.spans {
            if span.kind == Kind::Consumer {
                let message = (span.service.as_str(), span.name.as_str(), span.sender());
                deliveries.entry(message).or_default().push(span);
            }
        }
        deliveries
    }

    /// The traces of the story, by the time they began.
    pub fn traces(&self) -> Vec<TraceId> {
        let mut seen = HashSet::new();
        let ids = self.spans.iter().map(|span| span.trace_id);
        ids.filter(|id| seen.insert(*id)).collect()
    }

    /// When the first span began, in nanoseconds since the Unix epoch.
    pub fn start(&self) -> u64 {
        self.spans.first().map_or(0, |span| span.start)
    }

    /// From the beginning of the first span to the end of the last.
    pub fn duration(&self) -> Duration {
        let end = self.spans.iter().map(|span| span.end).max().unwrap_or(0);
        Duration::from_nanos(end.saturating_sub(self.start()))
    }
}
