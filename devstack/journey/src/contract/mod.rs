//! The trace contract: what the story of one order must look like, and whether it does.
//!
//! A [`Scenario`] is a table of spans, readable at a glance; [`scenarios`] has one per way an order can end.
//! [`check`] holds a story against a scenario: first the rows, from the top, so that the first violation is the first
//! broken edge; then the rules that hold for every story.
//!
//! It looks at the story's own spans only.
//! A batch `receive` span that links to one of them lives in a trace of its own, and in a story it is a neighbour.

mod matching;
mod pattern;
mod rules;
pub mod scenarios;
mod table;
mod violation;
mod wait;

pub use self::table::{Attribute, Count, Edge, Expected, Outcome, Row, Scenario, Transport};
pub use self::violation::{Broken, Rule, Violation};
pub use self::wait::{NotWhole, wait_until_whole};

use crate::story::Story;
use crate::waterfall::{self, Style};

/// Holds `story` against `scenario`.
pub fn check(story: &Story, scenario: &'static Scenario) -> Result<(), Box<Broken>> {
    let mut violations = matching::check_rows(story, scenario);
    violations.extend(rules::check(story));
    if violations.is_empty() {
        return Ok(());
    }
    let waterfall = waterfall::render(story, Style::PLAIN);
    Err(Box::new(Broken {
        scenario: scenario.name,
        trace: story.origin(),
        violations,
        waterfall,
    }))
}

#[cfg(test)]
mod tests;
