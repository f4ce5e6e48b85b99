//! One order's story: every trace reachable from one of them over parents and links.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::client::{ClientError, JaegerClient};
use crate::span::{Kind, Span, SpanRef, TraceId};

/// More traces than any one order has; it stops a story that links bind to a whole day's traffic.
const MAX_TRACES: usize = 64;

/// The name of the command as a service: it sends dead letters back, and does little else.
const REDRIVES: &str = "orderflow";
/// By which service and operation a person decides about an order: a trace of its own, and there are few of them.
const DECISIONS: (&str, &str) = ("orders", "PATCH /orders/{id}/status");

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

    /// Fetches the trace `origin` and every trace that a link leads to, in either direction.
    ///
    /// Links of broker calls (`receive`, `settle`, a batch `send`) are not followed, because their other ends are
    /// other orders' messages; such a span outside the story is kept as a neighbour, to be shown.
    /// `None` when the store does not know `origin`.
    pub async fn gather(
        client: &JaegerClient,
        origin: TraceId,
    ) -> Result<Option<Self>, ClientError> {
        let mut gathering = Gathering::begin(client, origin);
        while let Some(id) = gathering.ahead.pop_front() {
            gathering.visit(id).await?;
        }
        let known = gathering.spans.iter().any(|span| span.trace_id == origin);
        Ok(known.then(|| Self::new(origin, gathering.spans, gathering.neighbours)))
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

    /// The traces of the story, by the time they began.
    pub fn traces(&self) -> Vec<TraceId> {
        let mut seen = HashSet::new();
        let ids = self.spans.iter().map(|span| span.trace_id);
        ids.filter(|id| seen.insert(*id)).collect()
    }

    /// The names of the services that took part, sorted.
    pub fn services(&self) -> BTreeSet<&str> {
        self.spans
            .iter()
            .map(|span| span.service.as_str())
            .collect()
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

/// The walk over the traces of a story, breadth first.
struct Gathering<'a> {
    client: &'a JaegerClient,
    ahead: VecDeque<TraceId>,
    seen: HashSet<TraceId>,
    spans: Vec<Span>,
    neighbours: Vec<Span>,
}

impl<'a> Gathering<'a> {
    fn begin(client: &'a JaegerClient, origin: TraceId) -> Self {
        let (ahead, seen) = (VecDeque::from([origin]), HashSet::from([origin]));
        Self {
            client,
            ahead,
            seen,
            spans: Vec::new(),
            neighbours: Vec::new(),
        }
    }

    async fn visit(&mut self, id: TraceId) -> Result<(), ClientError> {
        let Some(spans) = self.client.trace(id).await? else {
            return Ok(());
        };
        let own = spans.iter().filter(|span| !span.is_broker_call());
        let targets: Vec<TraceId> = own
            .flat_map(|span| &span.links)
            .map(|link| link.trace_id)
            .collect();
        for target in targets {
            self.follow(target);
        }
        for source in self.linking_to(id, &spans).await? {
            self.follow_back(source).await?;
        }
        self.spans.extend(spans);
        Ok(())
    }

    /// The spans that link to a span of this trace, from the store's index or, where it keeps none, by a search.
    async fn linking_to(&self, id: TraceId, spans: &[Span]) -> Result<Vec<SpanRef>, ClientError> {
        if let Some(backlinks) = self.client.backlinks(id).await? {
            return Ok(backlinks.iter().map(|backlink| backlink.span).collect());
        }
        let mut later = self.decisions_about(spans).await?;
        // A search reads many traces, and is in vain where each message was taken within the trace it was sent in.
        if let Some(start) = first_untaken(spans) {
            later.extend(self.client.minute_after(start).await?);
            // A message that was given up may be sent back after days.
            later.extend(self.client.since(start, REDRIVES).await?);
        }
        later.retain(|span| span.links.iter().any(|link| link.trace_id == id));
        Ok(later.iter().map(Span::reference).collect())
    }

    /// The traces in which persons have decided about orders since the one of this trace was placed, if one was.
    async fn decisions_about(&self, spans: &[Span]) -> Result<Vec<Span>, ClientError> {
        let (service, operation) = DECISIONS;
        let requests = spans
            .iter()
            .filter(|span| span.service == service && span.kind == Kind::Server);
        match requests.map(|span| span.start).min() {
            Some(placed) => {
                let decided = self.client.operations_since(placed, service, operation);
                decided.await
            }
            None => Ok(Vec::new()),
        }
    }

    fn follow(&mut self, id: TraceId) {
        if self.seen.len() < MAX_TRACES && self.seen.insert(id) {
            self.ahead.push_back(id);
        }
    }

    /// The index does not say what kind of span links here, so its trace is read before it is followed.
    async fn follow_back(&mut self, source: SpanRef) -> Result<(), ClientError> {
        let known = self
            .neighbours
            .iter()
            .any(|span| span.reference() == source);
        if known || self.seen.contains(&source.trace_id) {
            return Ok(());
        }
        let spans = self
            .client
            .trace(source.trace_id)
            .await?
            .unwrap_or_default();
        match spans.into_iter().find(|span| span.reference() == source) {
            Some(span) if span.is_broker_call() => self.neighbours.push(span),
            Some(_) => self.follow(source.trace_id),
            None => {}
        }
        Ok(())
    }
}

/// When the first message was sent that nobody took within these spans.
fn first_untaken(spans: &[Span]) -> Option<u64> {
    let taken: HashSet<_> = spans
        .iter()
        .filter(|span| span.kind == Kind::Consumer)
        .filter_map(|span| span.parent)
        .collect();
    let sent = spans.iter().filter(|span| span.kind == Kind::Producer);
    sent.filter(|span| !taken.contains(&span.span_id))
        .map(|span| span.start)
        .min()
}
