//! What holds for every story, whatever its scenario.

use crate::once::Telling;
use crate::table::Scenario;
use crate::violation::{Rule, Violation};
use story::{Kind, Span, SpanRef, Story, Value};

/// Clocks of two processes on one machine agree within this; a child may seem to begin that much early.
const CLOCK_TOLERANCE_NANOS: u64 = 1_000_000;

/// What every span on either side of a broker carries (semantic conventions for messaging).
const MESSAGING: [&str; 4] = [
    "messaging.system",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.destination.name",
];

/// Names that the semantic conventions have replaced, and payloads and secrets, which do not belong in a trace.
const FORBIDDEN: [&str; 16] = [
    "authorization",
    "db.statement",
    "db.system",
    "enduser.email",
    "http.method",
    "http.request.body",
    "http.response.body",
    "http.request.header.authorization",
    "http.request.header.cookie",
    "http.status_code",
    "http.url",
    "messaging.kafka.consumer.group",
    "messaging.kafka.message.offset",
    "messaging.operation",
    "password",
    "user.email",
];

/// Endings of names that stand for payloads and secrets, whatever comes before.
const FORBIDDEN_ENDINGS: [&str; 5] = [".body", ".payload", ".password", ".secret", ".token"];

pub(crate) fn check(story: &Story, scenario: &Scenario, telling: Telling<'_>) -> Vec<Violation> {
    let mut violations = Vec::from_iter(roots(story));
    violations.extend(orphans(story));
    violations.extend(dangling_links(story));
    violations.extend(attempts(story, scenario, telling));
    let ours = story.spans().iter().filter(|span| scenario.is_about(span));
    for span in ours {
        violations.extend(clock(story, span));
        violations.extend(queue_time(story, span));
        violations.extend(consumer_edge(story, span));
        violations.extend(messaging_attributes(span));
        violations.extend(forbidden_attributes(span));
    }
    violations
}

/// One root; any further one continues the story.
fn roots(story: &Story) -> Option<Violation> {
    let names: Vec<String> = story.beginnings().map(ToString::to_string).collect();
    let problem = format!(
        "there should be one, not {}: {}",
        names.len(),
        names.join(", ")
    );
    (names.len() != 1).then(|| Violation::of(Rule::Root, problem))
}

fn orphans(story: &Story) -> impl Iterator<Item = Violation> {
    story.orphans().map(|span| {
        Violation::of(
            Rule::Orphan,
            format!("the parent of {span} is not in the story"),
        )
    })
}

fn dangling_links(story: &Story) -> impl Iterator<Item = Violation> {
    story.dangling_links().map(|(span, link)| {
        let SpanRef { trace_id, span_id } = link;
        Violation::of(
            Rule::DanglingLink,
            format!("{span} links to span {span_id} of trace {trace_id}, which is not stored"),
        )
    })
}

/// The deliveries of one message to one consumer are numbered 1, 2 … N.
fn attempts(story: &Story, scenario: &Scenario, telling: Telling<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let ours = story
        .deliveries()
        .into_iter()
        .filter(|(_, spans)| scenario.is_about(spans[0]));
    for ((service, name, _), spans) in ours {
        let mut numbers: Vec<i64> = spans.into_iter().filter_map(Span::attempt).collect();
        numbers.sort_unstable();
        let first = telling.first_attempt(&numbers);
        if !numbers.iter().copied().eq((first..).take(numbers.len())) {
            let problem = format!("`{name}` ({service}) counts its attempts {numbers:?}");
            violations.push(Violation::of(Rule::Attempts, problem));
        }
    }
    violations
}

fn clock(story: &Story, span: &Span) -> Option<Violation> {
    if span.end < span.start {
        return Some(Violation::of(
            Rule::Clock,
            format!("{span} ends before it begins"),
        ));
    }
    let parent = story.parent(span)?;
    let early = parent.start.saturating_sub(span.start);
    let problem = || {
        format!(
            "{span} begins {} µs before its parent {parent}",
            early / 1000
        )
    };
    (early > CLOCK_TOLERANCE_NANOS).then(|| Violation::of(Rule::Clock, problem()))
}

/// Present on every message that is handled for the first time, not negative, and shorter than the whole story.
///
/// Pub/Sub does not tell how long a message waited that comes again.
fn queue_time(story: &Story, span: &Span) -> Option<Violation> {
    if span.kind != Kind::Consumer {
        return None;
    }
    let limit = story.duration().as_secs_f64() * 1000.0;
    let problem = match span.queue_time_ms() {
        None if span.attempt().is_some_and(|attempt| attempt > 1) => return None,
        None => "has none".to_owned(),
        Some(ms) if (0.0..limit).contains(&ms) => return None,
        Some(ms) => format!("says {ms} ms, in a story of {limit} ms"),
    };
    Some(Violation::of(Rule::QueueTime, format!("{span} {problem}")))
}

/// A handled message points at the span that sent it, by its link and, in the same trace, by its parent too.
fn consumer_edge(story: &Story, span: &Span) -> Option<Violation> {
    if span.kind != Kind::Consumer {
        return None;
    }
    let is_producer = |reference: SpanRef| {
        story
            .get(reference)
            .is_some_and(|other| other.kind == Kind::Producer)
    };
    let parent = span.parent_reference();
    let problem = match span.links.iter().copied().find(|link| is_producer(*link)) {
        None => "has no link to the PRODUCER span that sent its message",
        Some(link) if parent.is_some() && parent != Some(link) => {
            "has a parent other than the span it links to"
        }
        Some(_) => return None,
    };
    Some(Violation::of(Rule::Sender, format!("{span} {problem}")))
}

fn messaging_attributes(span: &Span) -> Vec<Violation> {
    if !matches!(span.kind, Kind::Producer | Kind::Consumer) {
        return Vec::new();
    }
    let attempt = (span.kind == Kind::Consumer).then_some("orderflow.messaging.attempt");
    let required = MESSAGING.into_iter().chain(attempt);
    let missing = required.filter(|name| span.attribute(name).is_none());
    missing
        .map(|name| {
            Violation::of(
                Rule::MissingAttribute,
                format!("{span} should have `{name}`"),
            )
        })
        .collect()
}

fn forbidden_attributes(span: &Span) -> Vec<Violation> {
    let events = span.events.iter().flat_map(|event| &event.attributes);
    let bad = span
        .attributes
        .iter()
        .chain(events)
        .filter(|(name, value)| is_forbidden(name) || has_address(value));
    bad.map(|(name, _)| Violation::of(Rule::ForbiddenAttribute, format!("{span} carries `{name}`")))
        .collect()
}

fn is_forbidden(name: &str) -> bool {
    FORBIDDEN.contains(&name)
        || FORBIDDEN_ENDINGS
            .iter()
            .any(|ending| name.ends_with(ending))
}

/// An e-mail address, or a URL with credentials: an `@` with something on both sides of it.
fn has_address(value: &Value) -> bool {
    match value {
        Value::String(text) => text.split_whitespace().any(|word| {
            word.split_once('@')
                .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        }),
        Value::Array(values) => values.iter().any(has_address),
        Value::Object(fields) => fields.values().any(has_address),
        Value::Null | Value::Number(_) | Value::Bool(_) => false,
    }
}
