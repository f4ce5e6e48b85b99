use super::{Style, render, text};
use crate::otlp::decode;
use crate::span::{Kind, Span, SpanId, Status};
use crate::story::Story;
use serde_json::Value;

const HAPPY: &str = include_str!("golden/happy.json");
const NO_STOCK: &str = include_str!("golden/no_stock.json");
const LINKED: &str = include_str!("golden/linked.json");

/// The spans of a story, as a store sends them.
struct Tape {
    spans: Vec<Span>,
}

impl Tape {
    fn of(stored: &str) -> Self {
        let spans = decode(stored).unwrap();
        Self { spans }
    }

    fn find(&mut self, name: &str, service: &str, kind: Kind) -> &mut Span {
        let mut spans = self.spans.iter_mut();
        let found =
            spans.find(|span| span.name == name && span.service == service && span.kind == kind);
        found.expect("the story has this span")
    }

    fn job(&mut self) -> &mut Span {
        self.find("process classification-jobs", "classifier", Kind::Consumer)
    }

    /// A batch `receive` is a neighbour.
    fn story(self) -> Story {
        let is_neighbour = |span: &Span| span.name.starts_with("receive ");
        let (neighbours, spans): (Vec<_>, Vec<_>) = self.spans.into_iter().partition(is_neighbour);
        Story::new(spans[0].trace_id, spans, neighbours)
    }
}

fn happy() -> Tape {
    Tape::of(HAPPY)
}

fn no_stock() -> Tape {
    Tape::of(NO_STOCK)
}

const NARROW: Style = Style {
    width: 60,
    ..Style::PLAIN
};
const COLORED: Style = Style {
    color: true,
    ..Style::PLAIN
};

/// Compares with a file that a person has looked at; `cargo test -p story` prints the new drawing when they differ.
fn assert_looks_like(golden: &str, drawn: &str) {
    assert!(drawn == golden, "this is not the golden drawing:\n{drawn}");
}

#[test]
fn draws_an_order_as_one_tree() {
    assert_looks_like(
        include_str!("golden/happy.txt"),
        &render(&happy().story(), Style::PLAIN),
    );
}

#[test]
fn draws_a_refusal_on_a_narrow_screen() {
    assert_looks_like(
        include_str!("golden/no_stock_narrow.txt"),
        &render(&no_stock().story(), NARROW),
    );
}

#[test]
fn draws_linked_traces_as_one_story() {
    assert_looks_like(
        include_str!("golden/linked.txt"),
        &render(&Tape::of(LINKED).story(), Style::PLAIN),
    );
}

#[test]
fn shows_what_failed_and_how() {
    let mut tape = happy();
    let job = tape.job();
    job.attributes
        .insert("orderflow.messaging.attempt".into(), Value::from(2));
    job.attributes
        .insert("error.type".into(), Value::from("timeout"));
    job.status = Status::Error("inventory did not answer".into());
    let drawn = render(&tape.story(), Style::PLAIN);
    assert!(
        drawn.contains("process classification-jobs ⇠ attempt 2"),
        "{drawn}"
    );
    assert!(
        drawn.contains("✗ timeout: inventory did not answer\n"),
        "{drawn}"
    );
}

#[test]
fn shows_an_orphan_with_its_subtree() {
    let mut tape = happy();
    tape.find("classify order", "classifier", Kind::Internal)
        .parent = Some(SpanId([9; 8]));
    let drawn = render(&tape.story(), Style::PLAIN);
    assert!(drawn.contains("\nclassify order "), "{drawn}");
    assert!(
        drawn.contains("✗ orphan: its parent 0909090909090909 is not in the trace"),
        "{drawn}"
    );
    assert!(drawn.contains("send mail"), "{drawn}");
}

/// Another team's consumer joins the topic, and reads it from the beginning.
#[test]
fn a_guest_that_comes_minutes_later_does_not_stretch_the_drawing() {
    let mut tape = happy();
    let sent = tape
        .find("send order.created", "orders", Kind::Producer)
        .clone();
    let guest = Span {
        span_id: SpanId([8; 8]),
        parent: Some(sent.span_id),
        service: "audit".into(),
        name: "process order.created".into(),
        kind: Kind::Consumer,
        start: sent.end + 182_000_000_000,
        end: sent.end + 182_010_000_000,
        ..sent
    };
    let below = Span {
        span_id: SpanId([7; 8]),
        parent: Some(guest.span_id),
        name: "INSERT audits".into(),
        kind: Kind::Client,
        ..guest.clone()
    };
    tape.spans.extend([guest, below]);

    let drawn = render(&tape.story(), Style::PLAIN);

    assert!(drawn.contains("26 spans, 6 services, 80.0 ms\n"), "{drawn}");
    let note = "› it began 182 s after the start, outside of this drawing\n";
    assert_eq!(drawn.matches(note).count(), 1, "{drawn}");
    let golden = include_str!("golden/happy.txt");
    let mail = |drawn: &str| {
        let line = drawn.lines().find(|line| line.contains("send mail"));
        line.and_then(|line| line.split_once("CLIENT"))
            .map(|(_, times_and_bar)| times_and_bar.to_owned())
    };
    assert_eq!(mail(&drawn), mail(golden), "{drawn}");
}

#[test]
fn never_draws_a_line_wider_than_the_screen() {
    let mut tape = happy();
    tape.find("send mail", "email", Kind::Client).name = "注文".repeat(80);
    tape.find("INSERT emails", "email", Kind::Client).service =
        "a-service-with-a-very-long-name".repeat(3);
    tape.job().status = Status::Error("a very long story of failure ".repeat(20));
    let story = tape.story();
    for width in Style::MIN_WIDTH..=200 {
        let drawn = render(
            &story,
            Style {
                width,
                ..Style::PLAIN
            },
        );
        let too_wide: Vec<&str> = drawn
            .lines()
            .filter(|line| text::width(line) > width)
            .collect();
        assert!(too_wide.is_empty(), "{width}: {too_wide:#?}");
    }
}

#[test]
fn draws_the_same_in_colour_as_without() {
    let colored = render(&no_stock().story(), COLORED);
    let plain = render(&no_stock().story(), Style::PLAIN);
    assert!(!plain.contains('\x1b') && colored.contains('\x1b'));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
}
