//! The page: a list of the newest messages, and one message.
//!
//! Mail is written by strangers, so nothing of it may run: `maud` escapes every value, the content security policy allows no script and nothing from elsewhere, and an HTML body is shown in a frame with all rights taken away.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::email::values;
use crate::mailbox::{Kept, Mailbox, Snapshot};

/// More than anybody reads; the REST API has the rest.
const SHOWN: usize = 200;

/// A message's own inline styles are harmless and make it look as meant; pictures from elsewhere would tell their host who reads.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); overflow-wrap: anywhere; }
th { white-space: nowrap; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
iframe { width: 100%; height: 32rem; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); background: white; color-scheme: light; }
";

pub(super) async fn list(State(mailbox): State<Arc<Mailbox>>) -> Response {
    let snapshot = mailbox.snapshot();
    let heading = heading(&snapshot);
    respond(
        StatusCode::OK,
        "Mail",
        &html! {
            h1 { (heading) }
            @if snapshot.messages.is_empty() {
                p { "Nothing yet. Send something to the SMTP port." }
            } @else {
                table {
                    thead { tr { th { "Time" } th { "To" } th { "Subject" } } }
                    tbody {
                        @for kept in snapshot.messages.iter().rev().take(SHOWN) { (row(kept)) }
                    }
                }
            }
        },
    )
}

pub(super) async fn message(
    State(mailbox): State<Arc<Mailbox>>,
    Path(id): Path<String>,
) -> Response {
    let Some(kept) = mailbox.get(&id) else {
        return respond(
            StatusCode::NOT_FOUND,
            "Not found",
            &html! {
                h1 { "No such message" }
                p { a href="/" { "All messages" } }
            },
        );
    };
    let email = &kept.email;
    respond(
        StatusCode::OK,
        subject(email),
        &html! {
            p { a href="/" { "All messages" } " · " a href={ "/email/" (kept.id) "/source" } { "Source" } }
            h1 { (subject(email)) }
            (headers(email))
            @if let Some(text) = email["text"].as_str() { pre { (text) } }
            @if let Some(html) = email["html"].as_str() { iframe sandbox="" title="The message as HTML" srcdoc=(html) {} }
        },
    )
}

fn heading(snapshot: &Snapshot) -> String {
    let count = snapshot.messages.len();
    let noun = if count == 1 { "message" } else { "messages" };
    let newest = if count > SHOWN {
        format!(", the newest {SHOWN} shown")
    } else {
        String::new()
    };
    let dropped = match snapshot.dropped {
        0 => String::new(),
        dropped => format!(", {dropped} older ones dropped"),
    };
    format!("{count} {noun}{newest}{dropped}")
}

fn row(kept: &Kept) -> Markup {
    let email = &kept.email;
    let time = email["time"].as_str().unwrap_or_default();
    html! {
        tr {
            td { time datetime=(time) { (time) } }
            td { (values(email, "to.address").join(", ")) }
            td { a href={ "/message/" (kept.id) } { (subject(email)) } }
        }
    }
}

fn headers(email: &Value) -> Markup {
    html! {
        table {
            @for (name, header) in email["headers"].as_object().into_iter().flatten() {
                @for value in values(header, "") {
                    tr { th scope="row" { (name) } td { (value) } }
                }
            }
        }
    }
}

fn subject(email: &Value) -> &str {
    let subject = email["subject"].as_str();
    let subject = subject.filter(|subject| !subject.is_empty());
    subject.unwrap_or("(no subject)")
}

fn respond(status: StatusCode, title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · OrderFlow mail" }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(page.into_string())).into_response()
}
