//! Draws a story as a waterfall: one line per span, in the order and the depth of the tree.
//!
//! A line shows name, service, kind, how long the message waited in its broker, start, duration and a bar.
//! `⇠` marks a span that links to its parent, as every handled message does; any other link gets a line of its own.
//! The time axis ends with the order's own services: `›` stands for what others did with its messages after that.

mod bar;
mod cell;
mod layout;
mod text;
mod tree;

use std::collections::HashMap;

use anstyle::{AnsiColor, Style as Ink};

use self::bar::Scale;
use self::cell::{Cell, Paint};
use self::layout::Layout;
use self::tree::{Limb, Node, Note};
use crate::span::{Span, TraceId};
use crate::story::Story;

/// How a waterfall is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the output; no line is longer. At least [`Style::MIN_WIDTH`], comfortable from 100.
    pub width: usize,
    /// Whether to write ANSI colours. Without them there is no escape sequence in the output.
    pub color: bool,
    /// Whether links and backlinks that are not also parents get lines of their own.
    pub links: bool,
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
        links: true,
    };

    /// As wide as the terminal that the process writes to; [`Style::PLAIN`]'s width where there is none.
    pub fn for_terminal(color: bool) -> Self {
        let width = terminal_size::terminal_size()
            .map_or(Self::PLAIN.width, |(width, _)| usize::from(width.0));
        Self {
            width: width.clamp(Self::MIN_WIDTH, Self::MAX_WIDTH),
            color,
            links: true,
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
    let trees: Vec<_> = story
        .traces()
        .into_iter()
        .map(|id| (id, tree::flatten(story, id, style.links)))
        .collect();
    let layout = Layout::new(
        style.width.max(Style::MIN_WIDTH),
        trees.iter().flat_map(|(_, tree)| tree),
    );
    let scale = Scale::new(story, layout.bar_width());
    let canvas = Canvas {
        story,
        layout,
        scale,
        paint: Paint(style.color),
        hues: hues(story),
    };
    let drawings: Vec<String> = trees
        .iter()
        .map(|(id, tree)| canvas.trace(*id, tree))
        .collect();
    drawings.join("\n")
}

/// Gives each service a colour, in the order in which they take part.
fn hues(story: &Story) -> HashMap<&str, Ink> {
    let mut hues = HashMap::new();
    for span in story.spans() {
        let next = HUES[hues.len() % HUES.len()];
        hues.entry(span.service.as_str())
            .or_insert(next.on_default());
    }
    hues
}

struct Canvas<'a> {
    story: &'a Story,
    layout: Layout,
    scale: Scale,
    paint: Paint,
    hues: HashMap<&'a str, Ink>,
}

impl Canvas<'_> {
    fn trace(&self, id: TraceId, tree: &[Node<'_>]) -> String {
        let mut lines = vec![self.title(id, tree.len()), self.header()];
        for node in tree {
            lines.push(self.span(node));
            let beyond = self.beyond(node.span);
            let notes = node.notes.iter().chain(&beyond);
            lines.extend(notes.map(|note| self.note(&node.beneath, note)));
        }
        lines
            .iter()
            .flat_map(|line| {
                [
                    line.trim_end(),
                    "
",
                ]
            })
            .collect()
    }

    /// What is said of a span that began after the right edge; what hangs below it needs no word.
    fn beyond(&self, span: &Span) -> Option<Note> {
        let is_beyond = |span: &Span| self.scale.is_beyond(span);
        let first = is_beyond(span) && !self.story.parent(span).is_some_and(is_beyond);
        first.then(|| Note {
            text: format!(
                "{} it began {} after the start, outside of this drawing",
                bar::BEYOND,
                text::duration(self.scale.offset(span))
            ),
            is_error: false,
        })
    }

    /// The first title speaks of the whole story, the others of their own trace.
    fn title(&self, id: TraceId, spans: usize) -> String {
        let facts = if id == self.story.spans()[0].trace_id {
            self.facts()
        } else {
            text::count(spans, "span")
        };
        let id = Cell::new(self.paint, BOLD, &format!("trace {id}"));
        let facts = text::clip(
            &format!("  {facts}"),
            self.layout.width.saturating_sub(id.width),
        );
        id.then(&Cell::new(self.paint, DIM, &facts)).text
    }

    fn facts(&self) -> String {
        let (spans, took) = (
            self.story.spans().len(),
            text::duration(self.scale.length()),
        );
        let spans = text::count(spans, "span");
        let services = text::count(self.story.services().len(), "service");
        match self.story.traces().len() {
            1 if self.layout.width < 80 => format!("{spans}, {took}"),
            1 => format!("{spans}, {services}, {took}"),
            traces => format!("{spans} in {traces} traces, {services}, {took}"),
        }
    }

    fn header(&self) -> String {
        let end = format!(
            "{:>width$}",
            text::duration(self.scale.length()),
            width = self.layout.bar_width()
        );
        let titles = ["span", "service", "kind", "queued", "start", "took", &end];
        self.layout
            .line(&titles.map(|title| Cell::new(self.paint, DIM, title)))
    }

    fn span(&self, node: &Node<'_>) -> String {
        let span = node.span;
        let hue = self.hues[span.service.as_str()];
        let ink = if span.is_error() { RED } else { hue };
        let queued = span
            .queue_time_ms()
            .map(text::milliseconds)
            .unwrap_or_default();
        self.layout.line(&[
            self.name(node, if span.is_error() { RED } else { PLAIN }),
            Cell::new(
                self.paint,
                hue,
                &text::shorten(&span.service, self.layout.service_width()),
            ),
            Cell::new(self.paint, DIM, self.layout.kind(span.kind)),
            Cell::new(self.paint, BOLD, &queued),
            Cell::new(self.paint, DIM, &text::duration(self.scale.offset(span))),
            Cell::new(self.paint, PLAIN, &text::duration(span.duration())),
            self.bar(span, ink),
        ])
    }

    fn name(&self, node: &Node<'_>, ink: Ink) -> Cell {
        let branch = self.layout.branch(&node.branch);
        let room = self
            .layout
            .name_width()
            .saturating_sub(text::width(&branch) + text::width(&node.mark));
        Cell::new(self.paint, DIM, &branch)
            .then(&Cell::new(
                self.paint,
                ink,
                &text::shorten(&node.span.name, room),
            ))
            .then(&Cell::new(self.paint, DIM, &node.mark))
    }

    fn bar(&self, span: &Span, ink: Ink) -> Cell {
        let bar = self.scale.bar(span);
        Cell::new(self.paint, DIM, &bar.lead).then(&Cell::new(self.paint, ink, &bar.line))
    }

    fn note(&self, beneath: &[Limb], note: &Note) -> String {
        let branch = Cell::new(self.paint, DIM, &self.layout.branch(beneath));
        let room = self.layout.width.saturating_sub(branch.width);
        let ink = if note.is_error { RED } else { DIM };
        branch
            .then(&Cell::new(self.paint, ink, &text::clip(&note.text, room)))
            .text
    }
}

#[cfg(test)]
mod tests;
