//! Divides the width of the screen among the columns.

use super::text::{self, Cell};
use super::tree::Line;
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
}

/// Columns by which each level of the tree is indented.
pub(super) fn step(width: usize) -> usize {
    if width < 80 { 1 } else { 2 }
}

impl Layout {
    /// A narrow screen loses the start, then the kind, since the bar and the name hint at them; the names lose last.
    pub(super) fn new<'a>(width: usize, lines: impl Iterator<Item = &'a Line<'a>> + Clone) -> Self {
        let services = lines
            .clone()
            .map(|line| text::width(&line.row.span.service));
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
        let gap = if width < 116 { 1 } else { 2 };
        let mut columns = [0, service, kind, TIME_WIDTH, start, TIME_WIDTH, 0];
        let fixed = columns.iter().filter(|width| **width > 0);
        let rest = width.saturating_sub(fixed.map(|width| width + gap).sum::<usize>() + gap);
        // Names get what they need, as long as a bar worth looking at remains.
        let wanted = lines.map(Line::width).max().unwrap_or(0);
        columns[0] = wanted.min(rest.saturating_sub(width / 8));
        columns[COLUMNS - 1] = (rest - columns[0]).min(MAX_BAR_WIDTH);
        Self {
            width,
            columns,
            gap,
        }
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
