//! The page: a list of the newest messages, and one message.
//!
//! Mail is written by strangers, so nothing of it may run: `maud` escapes every value, the content security policy allows no script and nothing from elsewhere, and an HTML body is shown in a frame with all rights taken away.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::email::{Address, Email};
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
            p { a href="/" { "All messages" } " · " a href={ "/email/" (email.id) "/source" } { "Source" } }
            h1 { (subject(email)) }
            (headers(email))
            @if let Some(text) = &email.text { pre { (text) } }
            @if let Some(html) = &email.html { iframe sandbox="" title="The message as HTML" srcdoc=(html) {} }
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
    html! {
        tr {
            td { time datetime=(email.time) { (email.time) } }
            td { (addresses(&email.to)) }
            td { a href={ "/message/" (email.id) } { (subject(email)) } }
        }
    }
}

fn headers(email: &Email) -> Markup {
    html! {
        table {
            @for (name, header) in &email.headers {
                @for value in header.values() {
                    tr { th scope="row" { (name) } td { (value) } }
                }
            }
        }
    }
}

fn subject(email: &Email) -> &str {
    email
        .subject
        .as_deref()
        .filter(|subject| !subject.is_empty())
        .unwrap_or("(no subject)")
}

fn addresses(addresses: &[Address]) -> String {
    let addresses: Vec<_> = addresses
        .iter()
        .map(|address| address.address.as_str())
        .collect();
    addresses.join(", ")
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
