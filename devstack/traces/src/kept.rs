//! The kept traces: plain data, no locks, no clock.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use story::TraceId;

use crate::backlinks::{Backlink, Backlinks};
use crate::limits::Limits;
use crate::source::Sources;
use crate::span::{Rejection, StoredLog, StoredSpan};
use crate::trace::Trace;

/// All kept traces; every span in one of them is in the index and counted, and no other span is.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    traces: HashMap<TraceId, Arc<Trace>>,
    /// The kept traces by the arrival of their first span or log record, oldest first.
    arrivals: VecDeque<TraceId>,
    backlinks: Backlinks,
    sources: Sources,
    /// Of the traces, without their sources.
    trace_bytes: usize,
    pub(crate) counts: Counts,
}

/// What has happened since the start.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Counts {
    pub(crate) received_spans: u64,
    /// Refused: without valid ids, or too much for their trace.
    pub(crate) rejected_spans: u64,
    /// Sent again with the same ids.
    replaced_spans: u64,
    /// Made room for newer ones.
    pub(crate) dropped_traces: u64,
    pub(crate) dropped_spans: u64,
    pub(crate) received_logs: u64,
    /// Written outside any trace, and therefore not kept.
    pub(crate) untraced_logs: u64,
    pub(crate) rejected_logs: u64,
    dropped_logs: u64,
    pub(crate) metric_data_points: u64,
}

/// The answer of `GET /api/orderflow/stats`.
///
/// `received_spans` is the sum of `spans` and the rejected, replaced and dropped ones.
#[derive(Debug, Serialize)]
pub(crate) struct Stats {
    traces: usize,
    spans: usize,
    logs: usize,
    /// What counts towards [`Limits::max_bytes`].
    pub(crate) bytes: usize,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}

impl Kept {
    /// Keeps a span, in the place of one that has its ids.
    pub(crate) fn add(
        &mut self,
        id: TraceId,
        mut span: StoredSpan,
        limits: &Limits,
    ) -> Result<(), Rejection> {
        let (known, len) = self
            .traces
            .get(&id)
            .map_or((None, 0), |trace| (trace.get(span.id), trace.len()));
        if known.is_none() && len >= limits.max_spans_per_trace {
            return Err(Rejection::TraceFull(len));
        }
        let freed = known.map_or(0, StoredSpan::size);
        let needed = span.size() + span.resource.size() + span.scope.size();
        self.check_room(id, needed.saturating_sub(freed), limits)?;

        span.resource = self.sources.acquire(&span.resource);
        span.scope = self.sources.acquire(&span.scope);
        let span = Arc::new(span);
        if let Some(old) = self.change(id, |trace| trace.insert(Arc::clone(&span))) {
            self.forget(id, &old);
            self.counts.replaced_spans += 1;
        }
        self.backlinks.add(id, &span);
        Ok(())
    }

    pub(crate) fn add_log(
        &mut self,
        id: TraceId,
        log: StoredLog,
        limits: &Limits,
    ) -> Result<(), Rejection> {
        self.check_room(id, log.size(), limits)?;
        self.change(id, |trace| trace.insert_log(log));
        Ok(())
    }

    fn check_room(&self, id: TraceId, needed: usize, limits: &Limits) -> Result<(), Rejection> {
        let taken = self.traces.get(&id).map_or(Trace::ENTRY, |it| it.bytes());
        if taken + needed > limits.max_trace_bytes {
            return Err(Rejection::TooLarge(limits.max_trace_bytes));
        }
        Ok(())
    }

    /// Changes a trace, or begins it, and counts its bytes anew.
    fn change<T>(&mut self, id: TraceId, change: impl FnOnce(&mut Trace) -> T) -> T {
        let trace = self.traces.entry(id).or_insert_with(|| {
            self.arrivals.push_back(id);
            self.trace_bytes += Trace::ENTRY;
            Arc::new(Trace::new(id))
        });
        self.trace_bytes -= trace.bytes();
        // Copies the trace only if a reader holds it at this moment.
        let changed = change(Arc::make_mut(trace));
        self.trace_bytes += trace.bytes();
        changed
    }

    /// Drops the oldest traces until the rest fits.
    pub(crate) fn drop_oldest(&mut self, limits: &Limits) {
        while self.bytes() > limits.max_bytes {
            let oldest = self.arrivals.pop_front();
            let Some(trace) = oldest.and_then(|id| self.traces.remove(&id)) else {
                break;
            };
            for span in trace.spans() {
                self.forget(trace.id, span);
            }
            self.trace_bytes -= trace.bytes();
            self.counts.dropped_traces += u64::from(trace.len() > 0);
            self.counts.dropped_spans += trace.len() as u64;
            self.counts.dropped_logs += trace.logs().len() as u64;
        }
    }

    fn forget(&mut self, id: TraceId, span: &StoredSpan) {
        self.backlinks.remove(id, span);
        self.sources.release(&span.resource);
        self.sources.release(&span.scope);
    }

    fn bytes(&self) -> usize {
        self.trace_bytes + self.sources.bytes()
    }

    /// What has arrived of a trace, be it log records alone.
    pub(crate) fn get(&self, id: TraceId) -> Option<Arc<Trace>> {
        self.traces.get(&id).cloned()
    }

    /// All traces that have spans, the one that began to arrive last first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Arc<Trace>> {
        let ids = self.arrivals.iter().rev();
        let traces = ids.filter_map(|id| self.traces.get(id));
        traces.filter(|trace| trace.len() > 0)
    }

    pub(crate) fn backlinks(&self, target: TraceId) -> Vec<Backlink> {
        self.backlinks.to(target)
    }

    pub(crate) fn services(&self) -> BTreeSet<String> {
        let services = self.sources.all().map(|source| &*source.service);
        let named = services.filter(|service| !service.is_empty());
        named.map(str::to_owned).collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            traces: self.latest().count(),
            spans: self.traces.values().map(|trace| trace.len()).sum(),
            logs: self.traces.values().map(|trace| trace.logs().len()).sum(),
            bytes: self.bytes(),
            counts: self.counts.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
