//! The trace contract: what the story of one order must look like, and whether it does.
//!
//! A [`Scenario`] is a table of spans, readable at a glance; [`scenarios`] has one per way an order can end.
//! [`check`] holds a story against a scenario: first the rows, from the top, so that the first violation is the first
//! broken edge; then the rules that hold for every story.
//!
//! It looks at the story's own spans only, and among them at those of services that the scenario names: whoever else
//! listens to our messages may add spans of their own.
//! A batch `receive` span that links to one of them lives in a trace of its own, and in a story it is a neighbour.

pub mod chapters;
mod check;
#[cfg(test)]
mod fixtures;
mod matching;
mod once;
mod pattern;
mod rules;
pub mod scenarios;
mod table;
mod violation;
mod wait;

pub use check::{check, check_told_once};
pub use table::{
    Attribute, Count, Edge, Expected, Outcome, Relation, Repeat, Row, Scenario, Transport,
};
pub use violation::{Broken, Rule, Violation};
pub use wait::{NotWhole, wait_until_whole};
