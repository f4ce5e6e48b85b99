//! Plain pages for a quick look: the last traces, and one trace as an indented list.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use chrono::DateTime;
use http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use crate::ids::{SpanId, TraceId};
use crate::index::Backlink;
use crate::span::{StoredSpan, kind_text};
use crate::store::Store;
use crate::trace::Trace;

const STYLE: &str = "
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid color-mix(in srgb, currentcolor 20%, transparent); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.error { color: light-dark(#b00020, #ff8a80); }
code { font-size: .9em; }
";

/// More rows than anybody reads, few enough to load at once.
const ROWS: usize = 100;

pub(crate) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/", get(list))
        .route("/trace/{id}", get(show))
}

async fn list(State(store): State<Arc<Store>>) -> Html<String> {
    let traces = store.latest(ROWS);
    let body = html! {
        h1 { "Traces" }
        @if traces.is_empty() {
            p { "No trace has arrived yet." }
        } @else {
            div.table { table {
                thead { tr {
                    th { "Time (UTC)" } th { "Service" } th { "Operation" } th { "Services" }
                    th.number { "Spans" } th.number { "Errors" } th.number { "Duration" } th { "JSON" }
                } }
                tbody { @for trace in &traces { (trace_row(trace)) } }
            } }
        }
    };
    page("Traces", &body)
}

fn trace_row(trace: &Trace) -> Markup {
    let root = trace.root();
    let services: Vec<_> = trace.services().into_keys().collect();
    let errors = trace.errors();
    html! {
        tr {
            td { (time(trace.start_nanos())) }
            td { (root.map_or("", |span| &*span.origin.service)) }
            td { a href={ "/trace/" (trace.id) } { (root.map_or("(no root)", |span| name(span))) } }
            td { (services.join(", ")) }
            td.number { (trace.len()) }
            td.number { span.error[errors > 0] { (errors) } }
            td.number { (millis(trace.duration_nanos())) }
            td { a href={ "/api/v3/traces/" (trace.id) } { "JSON" } }
        }
    }
}

async fn show(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
) -> (StatusCode, Html<String>) {
    let trace = id.parse::<TraceId>().ok().and_then(|id| store.trace(id));
    let Some(trace) = trace else {
        let body = html! { h1 { "Unknown trace" } p { code { (id) } " is not among the traces kept here." } };
        return (StatusCode::NOT_FOUND, page("Unknown trace", &body));
    };
    let backlinks = store.backlinks(trace.id);
    (
        StatusCode::OK,
        page("Trace", &trace_body(&trace, &backlinks)),
    )
}

fn trace_body(trace: &Trace, backlinks: &[Backlink]) -> Markup {
    html! {
        p { a href="/" { "All traces" } }
        h1 { "Trace " code { (trace.id) } }
        p {
            (time(trace.start_nanos())) " UTC, " (millis(trace.duration_nanos())) ", " (trace.len()) " spans. "
            a href={ "/api/v3/traces/" (trace.id) } { "OTLP JSON" } " · "
            a href={ "/api/orderflow/logs/" (trace.id) } { "Logs" }
        }
        div.table { table {
            thead { tr {
                th { "Span" } th { "Service" } th { "Kind" } th.number { "After" } th.number { "Duration" } th { "Links to" }
            } }
            tbody { @for (depth, span) in outline(trace) { (span_row(trace, depth, span)) } }
        } }
        @if !backlinks.is_empty() {
            h2 { "Linked from" }
            ul { @for backlink in backlinks {
                li { "span " code { (backlink.from.span_id) } " of " a href={ "/trace/" (backlink.from.trace_id) } { code { (backlink.from.trace_id) } } }
            } }
        }
    }
}

fn span_row(trace: &Trace, depth: usize, span: &StoredSpan) -> Markup {
    html! {
        tr id=(span.id) {
            td style={ "padding-left:" (depth.min(30)) "em" } { span.error[span.failed] { (name(span)) } }
            td { (span.origin.service) }
            td { (kind_text(span.kind).unwrap_or("")) }
            td.number { (millis(span.start_nanos.saturating_sub(trace.start_nanos()))) }
            td.number { (millis(span.duration_nanos())) }
            td { @for link in &span.links {
                a href={ "/trace/" (link.trace_id) "#" (link.span_id) } { code { (link.span_id) } } " "
            } }
        }
    }
}

/// The spans with their depth, each below its parent; orphans stand at the top level.
fn outline(trace: &Trace) -> Vec<(usize, &StoredSpan)> {
    let mut children = BTreeMap::<Option<SpanId>, Vec<&StoredSpan>>::new();
    for span in trace.by_start() {
        let parent = if trace.is_orphan(span) {
            None
        } else {
            span.parent
        };
        children.entry(parent).or_default().push(span);
    }
    let mut outline = Vec::with_capacity(trace.len());
    let mut stack = Vec::new();
    let mut push = |stack: &mut Vec<_>, parent, depth| {
        // Taken out, so that spans that are each other's parent cannot be visited twice.
        let spans = children.remove(&parent).unwrap_or_default();
        stack.extend(spans.into_iter().rev().map(|span| (depth, span)));
    };
    push(&mut stack, None, 0);
    while let Some((depth, span)) = stack.pop() {
        outline.push((depth, span));
        push(&mut stack, Some(span.id), depth + 1);
    }
    outline
}

fn page(title: &str, body: &Markup) -> Html<String> {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · OrderFlow" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    Html(document.into_string())
}

fn name(span: &StoredSpan) -> &str {
    if span.name.is_empty() {
        "(no name)"
    } else {
        &span.name
    }
}

fn time(nanos: u64) -> String {
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    DateTime::from_timestamp_nanos(nanos)
        .format("%Y-%m-%d %H:%M:%S%.3f")
        .to_string()
}

fn millis(nanos: u64) -> String {
    let micros = nanos / 1_000;
    format!("{}.{:03} ms", micros / 1_000, micros % 1_000)
}
