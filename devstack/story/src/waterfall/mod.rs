//! Draws a story as a waterfall: one line per span, in the order and the depth of the tree.
//!
//! A line shows name, service, kind, how long the message waited in its broker, start, duration and a bar.
//! `⇠` marks a span that links to its parent, as every handled message does; any other link gets a line of its own.
//! The time axis ends with the order's own services: `›` stands for what others did with its messages after that.

mod bar;
mod layout;
mod text;
mod tree;

use std::collections::HashMap;

use anstyle::{AnsiColor, Style as Ink};

use self::layout::Layout;
use self::text::{Cell, Paint};
use self::tree::Line;
use crate::chart::Chart;
use crate::span::{Span, TraceId};
use crate::story::Story;

/// How a waterfall is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the output; no line is longer. At least [`Style::MIN_WIDTH`], comfortable from 100.
    pub width: usize,
    /// Whether to write ANSI colours. Without them there is no escape sequence in the output.
    pub color: bool,
}

impl Style {
    /// Narrower than this, columns have no room left, and the drawing keeps this width.
    pub const MIN_WIDTH: usize = 60;
    /// Wider lines are hard to follow from the name to the bar.
    const MAX_WIDTH: usize = 160;

    /// For a log, a file or a test: 120 columns, no colour.
    pub const PLAIN: Self = Self {
        width: 120,
        color: false,
    };

    /// As wide as the terminal that the process writes to; [`Style::PLAIN`]'s width where there is none.
    pub fn for_terminal(color: bool) -> Self {
        let width = terminal_size::terminal_size()
            .map_or(Self::PLAIN.width, |(width, _)| usize::from(width.0));
        Self {
            width: width.clamp(Self::MIN_WIDTH, Self::MAX_WIDTH),
            color,
        }
    }
}

const PLAIN: Ink = Ink::new();
const BOLD: Ink = Ink::new().bold();
const DIM: Ink = Ink::new().dimmed();
const RED: Ink = AnsiColor::BrightRed.on_default().bold();

/// The colours of services; red is kept for errors.
const HUES: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Magenta,
    AnsiColor::BrightBlue,
    AnsiColor::BrightCyan,
];

/// Draws `story`: a heading and the tree of each of its traces, every line ended by a newline.
pub fn render(story: &Story, style: Style) -> String {
    let chart = story.chart();
    let width = style.width.max(Style::MIN_WIDTH);
    let trees = chart.traces.iter();
    let trees: Vec<_> = trees
        .map(|tree| (tree.id, tree::lines(&tree.rows, layout::step(width))))
        .collect();
    let services = chart.services.iter().copied();
    let canvas = Canvas {
        story,
        chart: &chart,
        layout: Layout::new(width, trees.iter().flat_map(|(_, lines)| lines)),
        paint: Paint(style.color),
        hues: services.zip(HUES.into_iter().cycle()).collect(),
    };
    let drawings: Vec<String> = trees
        .iter()
        .map(|(id, lines)| canvas.trace(*id, lines))
        .collect();
    drawings.join("\n")
}

struct Canvas<'a> {
    story: &'a Story,
    chart: &'a Chart<'a>,
    layout: Layout,
    paint: Paint,
    hues: HashMap<&'a str, AnsiColor>,
}

impl Canvas<'_> {
    fn trace(&self, id: TraceId, tree: &[Line<'_>]) -> String {
        let mut drawn = vec![self.title(id, tree.len()), self.header()];
        for line in tree {
            drawn.push(self.span(line));
            for note in &line.row.notes {
                let ink = if note.is_error { RED } else { DIM };
                drawn.push(self.note(&line.beneath, ink, &note.text));
            }
            let beyond = self.beyond(line);
            drawn.extend(beyond.map(|note| self.note(&line.beneath, DIM, &note)));
        }
        let lines = drawn.iter();
        lines.flat_map(|line| [line.trim_end(), "\n"]).collect()
    }

    /// What is said of a span that began after the right edge; what hangs below it needs no word.
    fn beyond(&self, line: &Line<'_>) -> Option<String> {
        let edge = self.story.start() + self.chart.length;
        let is_beyond = |span: &Span| span.start > edge;
        let parent = self.story.parent(line.row.span);
        let first = line.row.is_beyond && !parent.is_some_and(is_beyond);
        let after = text::duration(line.row.offset);
        let mark = bar::BEYOND;
        first.then(|| format!("{mark} it began {after} after the start, outside of this drawing"))
    }

    /// The first title speaks of the whole story, the others of their own trace.
    fn title(&self, id: TraceId, spans: usize) -> String {
        let facts = if id == self.story.spans()[0].trace_id {
            self.facts()
        } else {
            text::count(spans, "span")
        };
        let id = self.paint.cell(BOLD, &format!("trace {id}"));
        let room = self.layout.width.saturating_sub(id.width);
        let facts = text::clip(&format!("  {facts}"), room);
        id.then(&self.paint.cell(DIM, &facts)).text
    }

    fn facts(&self) -> String {
        let took = text::duration(self.chart.length);
        let spans = text::count(self.story.spans().len(), "span");
        let services = text::count(self.chart.services.len(), "service");
        match self.chart.traces.len() {
            1 if self.layout.width < 80 => format!("{spans}, {took}"),
            1 => format!("{spans}, {services}, {took}"),
            traces => format!("{spans} in {traces} traces, {services}, {took}"),
        }
    }

    fn header(&self) -> String {
        let (took, width) = (text::duration(self.chart.length), self.layout.bar_width());
        let end = format!("{took:>width$}");
        let titles = ["span", "service", "kind", "queued", "start", "took", &end];
        let cells = titles.map(|title| self.paint.cell(DIM, title));
        self.layout.line(&cells)
    }

    fn span(&self, line: &Line<'_>) -> String {
        let (row, span) = (line.row, line.row.span);
        let hue = self.hues[span.service.as_str()].on_default();
        let (name_ink, bar_ink) = if span.is_error() {
            (RED, RED)
        } else {
            (PLAIN, hue)
        };
        let service = text::shorten(&span.service, self.layout.service_width());
        let queued = row.queued.map(text::duration).unwrap_or_default();
        let bar = bar::bar(row, self.chart.length, self.layout.bar_width());
        let cell = |ink, text: &str| self.paint.cell(ink, text);
        self.layout.line(&[
            self.name(line, name_ink),
            cell(hue, &service),
            cell(DIM, self.layout.kind(span.kind)),
            cell(BOLD, &queued),
            cell(DIM, &text::duration(row.offset)),
            cell(PLAIN, &text::duration(row.length)),
            cell(DIM, &bar.lead).then(&cell(bar_ink, &bar.line)),
        ])
    }

    fn name(&self, line: &Line<'_>, ink: Ink) -> Cell {
        let taken = text::width(&line.branch) + text::width(&line.mark);
        let room = self.layout.name_width().saturating_sub(taken);
        let name = text::shorten(&line.row.span.name, room);
        let branch = self.paint.cell(DIM, &line.branch);
        branch
            .then(&self.paint.cell(ink, &name))
            .then(&self.paint.cell(DIM, &line.mark))
    }

    fn note(&self, beneath: &str, ink: Ink, note: &str) -> String {
        let branch = self.paint.cell(DIM, beneath);
        let room = self.layout.width.saturating_sub(branch.width);
        let note = text::clip(note, room);
        branch.then(&self.paint.cell(ink, &note)).text
    }
}

#[cfg(test)]
mod tests;
