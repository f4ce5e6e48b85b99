//! Lays a story out in rows, for whoever draws it: the terminal or a page.

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;

use crate::span::{Span, SpanRef, Status, TraceId};
use crate::story::Story;
use crate::whole::SERVICES;

/// A story in the order in which it is drawn. Times are in nanoseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Chart<'a> {
    /// From the left edge of the time axis to the right one; at least 1.
    ///
    /// The axis ends with the order's own services: whoever else listens may hear of an order much later, for example
    /// by reading a topic from its beginning, and would shrink everything else to nothing.
    pub length: u64,
    /// In the order in which they take part, so that each can have a colour of its own.
    pub services: Vec<&'a str>,
    /// By the time they began.
    pub traces: Vec<Tree<'a>>,
}

/// One trace of a story.
#[derive(Debug, Clone, Serialize)]
pub struct Tree<'a> {
    pub id: TraceId,
    /// Parents before their children, siblings by time. An orphan stands at the left edge, as a root does.
    pub rows: Vec<Row<'a>>,
}

/// One span in its place.
#[derive(Debug, Clone, Serialize)]
pub struct Row<'a> {
    pub span: &'a Span,
    /// Levels below the left edge.
    pub depth: usize,
    /// From the beginning of the story to that of the span.
    pub offset: u64,
    pub length: u64,
    /// How long the message waited in its broker, just before the span; `None` off a broker.
    pub queued: Option<u64>,
    /// Whether it began after the right edge of the axis.
    pub is_beyond: bool,
    /// Whether it links to its parent, as every handled message does.
    pub links_to_parent: bool,
    /// What the tree itself does not show.
    pub notes: Vec<Note>,
}

/// A line under a span: what failed, or what it is linked to.
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    pub text: String,
    pub is_error: bool,
    /// The other end, if it is about a link.
    pub link: Option<SpanRef>,
}

impl Story {
    /// The story in rows.
    pub fn chart(&self) -> Chart<'_> {
        let mut seen = HashSet::new();
        let services = self.spans().iter().map(|span| span.service.as_str());
        let length = axis_end(self).saturating_sub(self.start()).max(1);
        let traces = self.traces().into_iter();
        Chart {
            length,
            services: services.filter(|service| seen.insert(*service)).collect(),
            traces: traces.map(|id| tree(self, id, length)).collect(),
        }
    }
}

fn axis_end(story: &Story) -> u64 {
    let spans = story.spans().iter();
    let (ours, others): (Vec<_>, Vec<_>) =
        spans.partition(|span| SERVICES.contains(&span.service.as_str()));
    let shown = if ours.is_empty() { others } else { ours };
    shown.iter().map(|span| span.end).max().unwrap_or(0)
}

/// It walks with a stack of its own, since the depth of a trace is in other people's hands; and spans that are each
/// other's parent have no top, so that the first of them becomes one.
fn tree(story: &Story, id: TraceId, length: u64) -> Tree<'_> {
    let own = || story.spans().iter().filter(|span| span.trace_id == id);
    let tops = own().filter(|span| story.parent(span).is_none());
    let (mut seen, mut rows) = (HashSet::new(), Vec::new());
    for top in tops.chain(own()) {
        let mut ahead = vec![(0, top)];
        while let Some((depth, span)) = ahead.pop() {
            if !seen.insert(span.span_id) {
                continue;
            }
            rows.push(row(story, span, depth, length));
            let children: Vec<_> = story.children(span).map(|it| (depth + 1, it)).collect();
            ahead.extend(children.into_iter().rev());
        }
    }
    Tree { id, rows }
}

fn row<'a>(story: &Story, span: &'a Span, depth: usize, length: u64) -> Row<'a> {
    let parent = span.parent_reference();
    Row {
        span,
        depth,
        offset: span.start.saturating_sub(story.start()),
        length: span.end.saturating_sub(span.start),
        queued: span.queue_time_ms().map(nanos),
        is_beyond: span.start > story.start() + length,
        links_to_parent: parent.is_some_and(|parent| span.links.contains(&parent)),
        notes: failures(story, span)
            .chain(links(story, span))
            .chain(backlinks(story, span))
            .collect(),
    }
}

fn nanos(ms: f64) -> u64 {
    let wait = Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default();
    u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)
}

fn failures(story: &Story, span: &Span) -> impl Iterator<Item = Note> {
    let lost = span.parent.filter(|_| story.parent(span).is_none());
    let orphan = lost.map(|parent| format!("orphan: its parent {parent} is not in the trace"));
    let failed = match &span.status {
        Status::Unset => None,
        Status::Error(message) => Some(match (span.text("error.type"), message.as_str()) {
            ("", "") => "failed".to_owned(),
            (kind, "") => kind.to_owned(),
            ("", message) => message.to_owned(),
            (kind, message) => format!("{kind}: {message}"),
        }),
    };
    orphan.into_iter().chain(failed).map(|text| Note {
        text: format!("✗ {text}"),
        is_error: true,
        link: None,
    })
}

fn links(story: &Story, span: &Span) -> impl Iterator<Item = Note> {
    let parent = span.parent_reference();
    let out = span.links.iter().filter(move |link| Some(**link) != parent);
    out.map(|link| Note {
        text: match story.get(*link) {
            Some(other) => format!("⇠ link to {} {}", other.service, other.name),
            None => format!(
                "⇠ link to span {} of trace {}, which is not stored here",
                link.span_id, link.trace_id
            ),
        },
        is_error: false,
        link: Some(*link),
    })
}

fn backlinks(story: &Story, span: &Span) -> impl Iterator<Item = Note> {
    let back = story.backlinks(span);
    let others = back.filter(|other| other.parent_reference() != Some(span.reference()));
    others.map(|other| Note {
        text: format!("⇢ linked from {} {}", other.service, other.name),
        is_error: false,
        link: Some(other.reference()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::decode;
    use crate::span::SpanId;

    fn happy() -> Vec<Span> {
        decode(include_str!("waterfall/golden/happy.json")).unwrap()
    }

    #[test]
    fn a_page_can_draw_what_the_terminal_draws() {
        let spans = happy();
        let story = Story::new(spans[0].trace_id, spans, Vec::new());
        let chart = serde_json::to_value(story.chart()).unwrap();
        assert_eq!(chart["length"], 80_000_000);
        assert_eq!(chart["services"][1], "orders");
        let row = &chart["traces"][0]["rows"][5];
        let told = (
            &row["depth"],
            &row["offset"],
            &row["length"],
            &row["queued"],
        );
        let [depth, offset, length, queued] =
            [4, 19_700_000, 4_300_000, 5_210_000].map(serde_json::Value::from);
        assert_eq!(told, (&depth, &offset, &length, &queued));
        assert_eq!(row["links_to_parent"], true);
        assert_eq!(row["span"]["name"], "process order.created");
        assert_eq!(row["span"]["kind"], "CONSUMER");
        assert_eq!(row["span"]["parent"], "0000000000000005");
    }

    #[test]
    fn a_note_of_a_link_says_where_it_leads() {
        let spans = decode(include_str!("waterfall/golden/linked.json")).unwrap();
        let story = Story::new(spans[0].trace_id, spans, Vec::new());
        let chart = story.chart();
        let rows = chart.traces.iter().flat_map(|tree| &tree.rows);
        let job = rows
            .clone()
            .find(|row| row.span.name == "process classification-jobs");
        let job = job.unwrap();
        assert_eq!(job.notes[0].link, Some(job.span.links[0]));
        let mut sent = rows.filter(|row| row.span.name == "send classification-jobs");
        assert_eq!(
            sent.next().unwrap().notes[0].link,
            Some(job.span.reference())
        );
    }

    #[test]
    fn every_span_has_a_row_also_where_spans_are_each_others_parent() {
        let mut spans = happy();
        spans.truncate(3);
        let [a, b, itself] = [spans[0].span_id, spans[1].span_id, SpanId([3; 8])];
        spans[0].parent = Some(b);
        spans[1].parent = Some(a);
        spans[2].span_id = itself;
        spans[2].parent = Some(itself);
        let story = Story::new(spans[0].trace_id, spans, Vec::new());
        let rows = story.chart().traces.remove(0).rows;
        let depths: Vec<_> = rows.iter().map(|row| row.depth).collect();
        assert_eq!(depths, [0, 1, 0]);
    }
}
