use super::*;

fn milliseconds(count: u64) -> Vec<Duration> {
    (1..=count).map(Duration::from_millis).collect()
}

#[test]
fn percentiles_are_values_that_occurred() {
    assert_eq!(
        percentile(&milliseconds(100), 50),
        Some(Duration::from_millis(50))
    );
    assert_eq!(
        percentile(&milliseconds(100), 95),
        Some(Duration::from_millis(95))
    );
    assert_eq!(
        percentile(&milliseconds(1), 95),
        Some(Duration::from_millis(1))
    );
    assert_eq!(
        percentile(&milliseconds(3), 50),
        Some(Duration::from_millis(2))
    );
    assert_eq!(percentile(&[], 50), None);
}

fn order(id: &str) -> Order {
    order_with(id, "confirmed")
}

pub(crate) fn order_with(id: &str, status: &str) -> Order {
    let body = format!(
        r#"{{"order_id":"{id}","status":"{status}","trace_id":"0af7651916cd43dd8448eb211c80319c",
        "created_at":"2026-11-21T10:00:00Z","updated_at":"2026-11-21T10:00:00.142Z"}}"#
    );
    serde_json::from_str(&body).unwrap()
}

fn ended(id: &str) -> Outcome {
    Outcome::Ended(order(id))
}

fn report(outcomes: Vec<Outcome>, mails: Mails) -> Report {
    Report {
        outcomes,
        took: Duration::from_secs(1),
        mails: Ok(mails),
        mail_trouble: None,
        open: Vec::new(),
        traces: None,
        memory: None,
    }
}

/// A mail about each of `orders`, which are confirmed.
fn mails(orders: &[&'static str]) -> Mails {
    orders
        .iter()
        .map(|order| (*order, Status::Confirmed))
        .collect()
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn one_mail_per_ended_order_is_good() {
    let report = report(vec![ended("a"), ended("b")], mails(&["a", "b"]));
    assert!(report.is_good());
    let text = plain(&report.render());
    assert!(
        text.contains("2 sent, 2 accepted, 2 ended, 0 not ended (2 confirmed)"),
        "{text}"
    );
    assert!(
        text.contains("p50 142 ms, p95 142 ms, longest 142 ms; 2.0 orders/s"),
        "{text}"
    );
    assert!(text.contains("2, one per order and status"), "{text}");
}

#[test]
fn a_missing_or_second_mail_is_not_good_and_names_the_order() {
    let report = report(vec![ended("a"), ended("b")], mails(&["b", "b"]));
    assert!(!report.is_good());
    let text = plain(&report.render());
    assert!(
        text.contains("2 for 2 orders; several: b; 1 not yet there: a\n"),
        "{text}"
    );
}

#[test]
fn an_order_that_did_not_end_is_not_good() {
    let open = Outcome::NotEnded(order("b"));
    let report = report(vec![ended("a"), open], mails(&["a"]));
    assert!(!report.is_good());
    assert!(plain(&report.render()).contains("2 sent, 2 accepted, 1 ended, 1 not ended"));
}

#[test]
fn refused_orders_are_counted_by_their_reasons() {
    let refused = |reason: &'static str| Outcome::Refused(anyhow::anyhow!(reason));
    let outcomes = vec![
        refused("the gateway does not answer"),
        refused("503 Service Unavailable: no orders"),
        ended("a"),
        refused("503 Service Unavailable: no orders"),
    ];
    let report = report(outcomes, mails(&["a"]));
    assert!(!report.is_good());
    let text = plain(&report.render());
    assert!(text.contains("4 sent, 1 accepted, 1 ended, 0 not ended"));
    let lines =
        "refused 3\n  2 × 503 Service Unavailable: no orders\n  1 × the gateway does not answer\n";
    assert!(text.contains(lines), "{text}");
}

#[test]
fn a_broken_trace_is_not_good() {
    let broken = Wholeness {
        whole: 0,
        broken: vec!["a: no edge".into()],
        ..Wholeness::default()
    };
    let report = Report {
        traces: Some(broken),
        ..report(vec![ended("a")], mails(&["a"]))
    };
    assert!(!report.is_good());
    assert!(plain(&report.render()).contains("0 of 1 whole\n  a: no edge"));
}

#[test]
fn a_trace_with_a_message_that_was_handled_again_is_good_and_named() {
    let traces = Wholeness {
        whole: 2,
        handled_again: vec!["b".into()],
        ..Wholeness::default()
    };
    let report = Report {
        traces: Some(traces),
        ..report(vec![ended("a"), ended("b")], mails(&["a", "b"]))
    };
    assert!(report.is_good());
    let text = plain(&report.render());
    let line = "2 whole, one root each, 1 of them with a message that was handled again: b\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn an_order_line_has_its_id_status_time_and_trace() {
    assert_eq!(
        plain(&order_line(&ended("a"), "http://jaeger")),
        "a  confirmed    142 ms  http://jaeger/trace/0af7651916cd43dd8448eb211c80319c"
    );
}

#[test]
fn mails_that_are_late_come_with_what_may_hold_them() {
    let report = Report {
        mail_trouble: Some("`email` is paused (`orderflow resume email`)".to_owned()),
        ..report(vec![ended("a"), ended("b")], mails(&["a"]))
    };
    assert!(!report.is_good());
    let text = plain(&report.render());
    let line = "1 for 2 orders; 1 not yet there: b; `email` is paused (`orderflow resume email`)\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn stories_of_linked_traces_are_not_said_to_have_one_root() {
    let form = |linked| {
        let traces = Wholeness {
            whole: 2,
            linked,
            ..Wholeness::default()
        };
        let report = Report {
            traces: Some(traces),
            ..report(vec![ended("a"), ended("b")], mails(&["a", "b"]))
        };
        plain(&report.render())
    };
    let [parent, link] = [0, 2].map(form);
    assert!(parent.contains("2 whole, one root each\n"), "{parent}");
    assert!(
        link.contains("2 whole, each several traces that are linked\n"),
        "{link}"
    );
}

#[test]
fn an_order_that_has_not_ended_comes_with_where_it_waits() {
    let open = Outcome::NotEnded(order("b"));
    let report = Report {
        open: vec!["b waits in Kafka (`order.created`) for `classifier`".to_owned()],
        ..report(vec![open], mails(&[]))
    };
    let text = plain(&report.render());
    assert!(
        text.contains("open    b waits in Kafka (`order.created`) for `classifier`\n"),
        "{text}"
    );
    assert!(
        text.contains("emails  none, since no order has ended\n"),
        "{text}"
    );
}

#[test]
fn nothing_is_said_of_traces_when_no_order_has_ended() {
    let report = Report {
        traces: Some(Wholeness::default()),
        ..report(vec![Outcome::Refused(anyhow::anyhow!("503"))], mails(&[]))
    };
    let text = plain(&report.render());
    assert!(!text.contains("whole"), "{text}");
}
