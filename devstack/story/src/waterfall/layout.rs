//! Divides the width of the screen among the columns.

use super::cell::Cell;
use super::text;
use super::tree::{Limb, Node};
use crate::span::Kind;

/// Name, service, kind, queued, start, took, bar.
const COLUMNS: usize = 7;
const RIGHT_ALIGNED: [bool; COLUMNS] = [false, false, false, true, true, true, false];

const TIME_WIDTH: usize = 7;
const LONGEST_KIND: &str = "PRODUCER";
const MAX_SERVICE_WIDTH: usize = 12;
const MAX_BAR_WIDTH: usize = 48;

/// The width of each column; one of width 0 is left out.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: usize,
    columns: [usize; COLUMNS],
    gap: usize,
    /// Columns by which each level of the tree is indented.
    step: usize,
}

impl Layout {
    /// A narrow screen loses the start, then the kind, since the bar and the name hint at them; the names lose last.
    pub(super) fn new<'a>(width: usize, nodes: impl Iterator<Item = &'a Node<'a>> + Clone) -> Self {
        let services = nodes.clone().map(|node| text::width(&node.span.service));
        let service = services
            .max()
            .unwrap_or(0)
            .clamp("service".len(), MAX_SERVICE_WIDTH);
        let kind = match width {
            96.. => LONGEST_KIND.len(),
            72.. => "kind".len(),
            _ => 0,
        };
        let start = if width < 90 { 0 } else { TIME_WIDTH };
        let step = if width < 80 { 1 } else { 2 };
        let gap = if width < 116 { 1 } else { 2 };
        let mut layout = Self {
            width,
            columns: [0, service, kind, TIME_WIDTH, start, TIME_WIDTH, 0],
            gap,
            step,
        };
        layout.share_the_rest(nodes);
        layout
    }

    /// Gives names what they need, as long as a bar worth looking at remains.
    fn share_the_rest<'a>(&mut self, nodes: impl Iterator<Item = &'a Node<'a>>) {
        let taken: usize = self
            .columns
            .iter()
            .filter(|width| **width > 0)
            .map(|width| width + self.gap)
            .sum();
        let rest = self.width.saturating_sub(taken + self.gap);
        let wanted = nodes.map(|node| self.wanted(node)).max().unwrap_or(0);
        let name = wanted.min(rest.saturating_sub(self.width / 8));
        self.columns[0] = name;
        self.columns[COLUMNS - 1] = (rest - name).min(MAX_BAR_WIDTH);
    }

    fn wanted(&self, node: &Node<'_>) -> usize {
        text::width(&self.branch(&node.branch))
            + text::width(&node.span.name)
            + text::width(&node.mark)
    }

    /// The lines of the tree, drawn two columns per level, or one where room is short.
    pub(super) fn branch(&self, branch: &[Limb]) -> String {
        branch
            .iter()
            .map(|limb| limb.in_columns(self.step))
            .collect()
    }

    pub(super) fn kind(&self, kind: Kind) -> &'static str {
        match kind {
            _ if self.columns[2] >= LONGEST_KIND.len() => kind.as_str(),
            Kind::Server => "SRV",
            _ => &kind.as_str()[..3],
        }
    }

    pub(super) fn name_width(&self) -> usize {
        self.columns[0]
    }

    pub(super) fn service_width(&self) -> usize {
        self.columns[1]
    }

    pub(super) fn bar_width(&self) -> usize {
        self.columns[COLUMNS - 1]
    }

    /// One line of the drawing, columns padded and aligned.
    pub(super) fn line(&self, cells: &[Cell; COLUMNS]) -> String {
        let columns = cells.iter().zip(self.columns).zip(RIGHT_ALIGNED);
        let shown = columns.filter(|((_, width), _)| *width > 0);
        let padded: Vec<String> = shown
            .map(|((cell, width), right)| cell.padded(width, right))
            .collect();
        padded.join(&" ".repeat(self.gap))
    }
}
