//! Holds a story against a scenario.

use story::Story;
use story::waterfall::{self, Style};

use crate::once::{Telling, ToldOnce};
use crate::table::Scenario;
use crate::violation::Broken;
use crate::{matching, rules};

/// Holds `story` against `scenario`.
pub fn check(story: &Story, scenario: &'static Scenario) -> Result<(), Box<Broken>> {
    hold(story, story, scenario, Telling::AsItWas)
}

/// Holds `story` against `scenario` as if each message had been handled once.
///
/// Brokers deliver at least once: what a process that dies has in hand is handed out again.
/// The dead attempt's span was never exported, so what it called are orphans; and where it had ended but was not yet
/// settled, the message is told twice, with all that followed from it.
/// A relay that dies after it sent an event sends it again, as does an order that has been pending for too long.
/// This leaves out the orphans, and all deliveries of a message and all sendings of an event but the one that went
/// furthest, each with everything below it.
/// What remains must keep the whole contract, but that attempts may begin above 1, and that work which is done only
/// once may be among what was left out.
///
/// A context that was lost breaks the contract here too: what is on the far side of the hop is in no part of the story.
/// So does an orphan in a story where no message was handled again; there this is [`check`].
/// Ask it about a story that [`check`] finds broken for good: what is left out may be merely early.
pub fn check_told_once(story: &Story, scenario: &'static Scenario) -> Result<(), Box<Broken>> {
    match ToldOnce::of(story, scenario) {
        Some(once) => hold(&once.story, story, scenario, Telling::Once(&once.left_out)),
        None => check(story, scenario),
    }
}

/// Holds what is `told` against `scenario`; when it is broken, the whole story is shown.
fn hold(
    told: &Story,
    story: &Story,
    scenario: &'static Scenario,
    telling: Telling<'_>,
) -> Result<(), Box<Broken>> {
    let mut violations = matching::check_rows(told, scenario, telling);
    violations.extend(rules::check(told, scenario, telling));
    if violations.is_empty() {
        return Ok(());
    }
    Err(Box::new(Broken {
        scenario: scenario.name,
        trace: story.origin(),
        violations,
        waterfall: waterfall::render(story, Style::PLAIN),
    }))
}

#[cfg(test)]
mod tests;
