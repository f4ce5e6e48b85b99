//! Traces of messages that belong to no order whose story can be told: their context was lost on the way.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::client::{ClientError, JaegerClient};
use crate::span::{Kind, Span, TraceId};
use crate::story::Story;
use crate::whole::SERVICES;

/// What was found of them: one story of each kind, by what it begins with, and how many traces there are in all.
#[derive(Debug)]
pub struct Strays {
    pub stories: Vec<Story>,
    pub traces: usize,
    pub spans: usize,
}

impl Strays {
    /// Looks at the minute after `start`, in nanoseconds since the Unix epoch; what is in the traces `known` belongs to
    /// somebody.
    pub async fn find(
        client: &JaegerClient,
        start: u64,
        known: &HashSet<TraceId>,
    ) -> Result<Self, ClientError> {
        let mut traces: HashMap<TraceId, Vec<Span>> = HashMap::new();
        for span in client.minute_after(start).await? {
            if !known.contains(&span.trace_id) {
                traces.entry(span.trace_id).or_default().push(span);
            }
        }
        traces.retain(|_, spans| spans.iter().any(is_of_a_message));
        let spans = traces.values().map(Vec::len).sum();
        let count = traces.len();
        // Of each kind one without an error, if there is one, and of these the largest, and the one that began first.
        let mut kinds: BTreeMap<(String, String), Story> = BTreeMap::new();
        for (id, spans) in traces {
            let story = Story::new(id, spans, Vec::new());
            let Some(first) = story.spans().first() else {
                continue;
            };
            let kind = (first.service.clone(), first.name.clone());
            let is_better = kinds
                .get(&kind)
                .is_none_or(|other| rank(&story) > rank(other));
            if is_better {
                kinds.insert(kind, story);
            }
        }
        let mut stories: Vec<_> = kinds.into_values().collect();
        stories.sort_by_key(|story| story.spans().first().map(|first| first.start));
        Ok(Self {
            stories,
            traces: count,
            spans,
        })
    }
}

fn is_of_a_message(span: &Span) -> bool {
    matches!(span.kind, Kind::Producer | Kind::Consumer) && SERVICES.contains(&&*span.service)
}

fn rank(story: &Story) -> (bool, usize, Reverse<u64>) {
    let spans = story.spans();
    let start = spans.first().map_or(0, |first| first.start);
    (
        !spans.iter().any(Span::is_error),
        spans.len(),
        Reverse(start),
    )
}
