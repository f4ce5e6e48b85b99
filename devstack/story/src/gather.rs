//! Reads the whole story of a trace from a store.

use std::collections::{HashSet, VecDeque};

use crate::client::{ClientError, JaegerClient};
use crate::span::{Kind, Span, SpanRef, TraceId};
use crate::story::Story;

/// More traces than any one order has; it stops a story that links bind to a whole day's traffic.
const MAX_TRACES: usize = 64;

/// The name of the command as a service: it sends dead letters back, and does little else.
const REDRIVES: &str = "orderflow";
/// By which service and operation a person decides about an order: a trace of its own, and there are few of them.
const DECISIONS: (&str, &str) = ("orders", "PATCH /orders/{id}/status");

impl Story {
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
            return Ok(backlinks);
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
