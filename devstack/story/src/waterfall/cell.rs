//! Text that knows its width on the screen, with or without colour.

use anstyle::Style as Ink;

use super::text;

/// Whether colours are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

/// A piece of a line; escape sequences do not count towards its width.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) width: usize,
}

impl Cell {
    pub(super) fn new(paint: Paint, ink: Ink, raw: &str) -> Self {
        let width = text::width(raw);
        let plain = !paint.0 || ink.is_plain() || raw.trim().is_empty();
        let text = if plain {
            raw.to_owned()
        } else {
            format!("{ink}{raw}{ink:#}")
        };
        Self { text, width }
    }

    /// This piece and the next, without a gap.
    pub(super) fn then(self, next: &Self) -> Self {
        Self {
            text: self.text + &next.text,
            width: self.width + next.width,
        }
    }

    /// Padded to `width`, on the left when `right` aligned.
    pub(super) fn padded(&self, width: usize, right: bool) -> String {
        let gap = " ".repeat(width.saturating_sub(self.width));
        if right {
            gap + &self.text
        } else {
            format!("{}{gap}", self.text)
        }
    }
}
