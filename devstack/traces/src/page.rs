//! Plain pages for a quick look: the last traces, and one trace as an indented list.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use chrono::DateTime;
use http::StatusCode;
use maud::{DOCTYPE, Markup, html};
use story::{Chart, Row, Span, SpanRef, Status, Story};

use crate::ids;
use crate::kept::Stats;
use crate::span::StoredSpan;
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
.axis { width: 25%; }
.bar { height: .7em; min-width: 2px; background: light-dark(#3367d6, #8ab4f8); }
.note { font-size: .9em; opacity: .8; }
";

/// More rows than anybody reads, few enough to load at once.
const ROWS: usize = 100;

pub(crate) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/", get(list))
        .route("/trace/{id}", get(show))
}

async fn list(State(store): State<Arc<Store>>) -> Html<String> {
    let (traces, stats): (Vec<_>, _) = {
        let kept = store.read();
        (kept.latest().take(ROWS).cloned().collect(), kept.stats())
    };
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
        (dropped(&stats, store.limits.max_bytes))
    };
    page("Traces", &body)
}

fn dropped(stats: &Stats, max_bytes: usize) -> Markup {
    let counts = &stats.counts;
    html! {
        @if counts.dropped_traces > 0 {
            p {
                "The newest traces are kept, up to " (max_bytes / 1024 / 1024) " MiB; "
                (counts.dropped_traces) " older ones with " (counts.dropped_spans) " spans have made room for them."
            }
        }
    }
}

fn trace_row(trace: &Trace) -> Markup {
    let root = trace.root();
    let services: Vec<_> = trace.services().into_iter().collect();
    let errors = trace.errors();
    html! {
        tr {
            td { (time(trace.start_nanos())) }
            td { (root.map_or("", |span| &*span.resource.service)) }
            td { a href={ "/trace/" (trace.id) } { (root.map_or("(no root)", |span| name(&span.name))) } }
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
    let trace = ids::pasted(&id).ok().and_then(|id| store.trace(id));
    let Some(trace) = trace else {
        let body = html! { h1 { "Unknown trace" } p { code { (id) } " is not among the traces kept here." } };
        return (StatusCode::NOT_FOUND, page("Unknown trace", &body));
    };
    let body = trace_body(&trace, &story_of(&trace, &store));
    (StatusCode::OK, page("Trace", &body))
}

/// The trace as a story of its own, with the spans of other traces that link to it.
fn story_of(trace: &Trace, store: &Store) -> Story {
    let backlinks = store.read().backlinks(trace.id);
    let sources = backlinks.into_iter().map(|backlink| backlink.from);
    let linking = sources.filter_map(|from| {
        let other = store.trace(from.trace_id)?;
        read(other.get(from.span_id)?)
    });
    let neighbours = linking.collect();
    Story::new(
        trace.id,
        trace.spans().filter_map(read).collect(),
        neighbours,
    )
}

/// `None` is not to be expected, since no span is kept without valid ids.
fn read(span: &StoredSpan) -> Option<Span> {
    Span::from_otlp(span.decode(), &span.resource.service).ok()
}

fn trace_body(trace: &Trace, story: &Story) -> Markup {
    let chart = story.chart();
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
                th { "Span" } th { "Service" } th { "Kind" } th.number { "Queued" } th.number { "After" } th.number { "Duration" } th.axis { (millis(chart.length)) }
            } }
            tbody { @for row in chart.traces.iter().flat_map(|tree| &tree.rows) { (span_row(&chart, row)) } }
        } }
    }
}

fn span_row(chart: &Chart<'_>, row: &Row<'_>) -> Markup {
    let failed = row.span.status != Status::Unset;
    html! {
        tr id=(row.span.span_id) {
            td style={ "padding-left:" (row.depth.min(30)) "em" } {
                span.error[failed] { (name(&row.span.name)) } @if row.links_to_parent { " ⇠" }
                @for note in &row.notes {
                    div.note.error[note.is_error] {
                        (note.text) " "
                        @if let Some(link) = note.link { (link_to(link)) }
                    }
                }
            }
            td { (row.span.service) }
            td { (row.span.kind.as_str().to_lowercase()) }
            td.number { @if let Some(queued) = row.queued { (millis(queued)) } }
            td.number { (millis(row.offset)) }
            td.number { (millis(row.length)) }
            td { @if !row.is_beyond { div.bar style=(bar(chart, row)) {} } }
        }
    }
}

fn link_to(link: SpanRef) -> Markup {
    html! { a href={ "/trace/" (link.trace_id) "#" (link.span_id) } { code { (link.span_id) } } }
}

/// In thousandths of the axis, of which no bar leaves the right edge.
fn bar(chart: &Chart<'_>, row: &Row<'_>) -> String {
    let share = |nanos: u64| u128::from(nanos) * 1000 / u128::from(chart.length);
    let left = share(row.offset).min(1000);
    let width = share(row.length).min(1000 - left);
    format!("margin-left:calc({left}% / 10);width:calc({width}% / 10)")
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

fn name(name: &str) -> &str {
    if name.is_empty() { "(no name)" } else { name }
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
