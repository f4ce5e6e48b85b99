//! The lines that join spans to their parents.

use super::text;
use crate::chart::Row;

/// A row, and what is drawn around its name.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) row: &'a Row<'a>,
    /// Stands in front of the name.
    pub(super) branch: String,
    /// Stands in front of the notes.
    pub(super) beneath: String,
    /// Follows the name: `⇠` for a link to the parent, and the attempt from the second on.
    pub(super) mark: String,
}

impl Line<'_> {
    /// Columns that it needs up to the end of the mark.
    pub(super) fn width(&self) -> usize {
        let name = [&self.branch, &self.row.span.name, &self.mark];
        name.into_iter().map(|part| text::width(part)).sum()
    }
}

/// The lines of one tree, each level indented by `step` columns.
///
/// They are found from below, where it is known whether a branch goes on.
pub(super) fn lines<'a>(rows: &'a [Row<'a>], step: usize) -> Vec<Line<'a>> {
    let glyph = |is_there: bool, [there, absent]: [&str; 2]| {
        let glyph = if is_there { there } else { absent };
        glyph.to_owned() + &" ".repeat(step - 1)
    };
    let mut goes_on: Vec<bool> = Vec::new();
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        let has_children = goes_on.len() > row.depth + 1;
        goes_on.resize(row.depth + 1, false);
        let passing = |level: usize| glyph(goes_on[level], ["│", " "]);
        let above: String = (1..row.depth).map(passing).collect();
        let own = (row.depth > 0).then_some(row.depth);
        let fork = own.map(|level| glyph(goes_on[level], ["├", "└"]));
        let below = own.map(passing).unwrap_or_default();
        lines.push(Line {
            row,
            beneath: format!("{above}{below}{}", glyph(has_children, ["│", " "])),
            branch: above + &fork.unwrap_or_default(),
            mark: mark(row),
        });
        goes_on[row.depth] = true;
    }
    lines.reverse();
    lines
}

fn mark(row: &Row<'_>) -> String {
    let link = if row.links_to_parent { " ⇠" } else { "" };
    let attempt = row.span.attempt().filter(|attempt| *attempt > 1);
    let attempt = attempt.map(|attempt| format!(" attempt {attempt}"));
    link.to_owned() + &attempt.unwrap_or_default()
}
