//! A message as `MailDev` describes it in JSON: the same names, the same decoding, the same things left out.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use mail_parser::{HeaderName, Message, MessageParser, MessagePart, PartType};
use serde::Serialize;
use serde_json::{Value, json};

/// Who the SMTP client was and whom it sent the message to, whatever the headers claim.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelope {
    pub(crate) from: Recipient,
    pub(crate) to: Vec<Recipient>,
    /// The name given with EHLO or HELO.
    pub(crate) host: String,
    pub(crate) remote_address: String,
}

#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Recipient {
    pub(crate) address: String,
}

/// What the client said about a message, and what it says about itself. Reads any bytes: what cannot be understood is left out.
pub(crate) fn parse(id: &str, envelope: &Envelope, source: &[u8]) -> Value {
    let mut email = match MessageParser::default().parse(source) {
        Some(message) => json!({
            "time": time(&message),
            "subject": message.subject(),
            "messageId": message.message_id(),
            "from": addresses(message.from()),
            "to": addresses(message.to()),
            "cc": addresses(message.cc()),
            "headers": headers(source),
            "text": body(message.text_bodies().filter_map(as_text)),
            "html": body(message.html_bodies().filter_map(as_html)),
        }),
        // A source that the parser gives up on, an empty one for instance, is shown as text.
        None => json!({
            "time": rfc3339(Utc::now()),
            "headers": {},
            "text": String::from_utf8_lossy(source),
        }),
    };
    if let Value::Object(fields) = &mut email {
        fields.retain(|_, value| !value.is_null());
        fields.insert("id".to_owned(), json!(id));
        fields.insert("envelope".to_owned(), json!(envelope));
        // Bytes of the source.
        fields.insert("size".to_owned(), json!(source.len()));
    }
    email
}

/// The texts under a dotted path, such as `subject`, `to.address` or `headers.x-order-id`: what `MailDev`'s filter compares.
pub(crate) fn values<'a>(email: &'a Value, path: &str) -> Vec<&'a str> {
    match email {
        Value::Array(list) => list.iter().flat_map(|one| values(one, path)).collect(),
        Value::String(text) if path.is_empty() => vec![text],
        other => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            let value = other.get(name);
            value.map_or_else(Vec::new, |value| values(value, rest))
        }
    }
}

/// The `Date` header, or the time of arrival where there is none; RFC 3339 in UTC.
fn time(message: &Message<'_>) -> String {
    let date = message.date().filter(|date| date.is_valid());
    date.and_then(|date| DateTime::from_timestamp(date.to_timestamp(), 0))
        .map_or_else(|| rfc3339(Utc::now()), rfc3339)
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The addresses of a header, those within a group included; the name is empty where it has only an address.
fn addresses(header: Option<&mail_parser::Address<'_>>) -> Option<Vec<Value>> {
    let addresses = header?.iter().map(|address| {
        json!({
            "address": address.address().unwrap_or_default(),
            "name": address.name().unwrap_or_default(),
        })
    });
    let addresses: Vec<_> = addresses.collect();
    (!addresses.is_empty()).then_some(addresses)
}

/// All headers by lower-case name, with encoded words decoded and folded lines joined; one that is repeated is a list.
///
/// A second look at the source, because the first one turns the headers it knows into dates, addresses and the like.
fn headers(source: &[u8]) -> BTreeMap<String, Value> {
    // Without a header named one by one the parser ignores its default and reads addresses as addresses.
    let parser = MessageParser::new()
        .header_text(HeaderName::Subject)
        .default_header_text();
    let message = parser.parse_headers(source);
    let mut headers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for header in message.iter().flat_map(Message::headers) {
        let values = headers.entry(header.name().to_lowercase()).or_default();
        values.push(header.value().as_text().unwrap_or_default());
    }
    let described = headers.into_iter().map(|(name, values)| match *values {
        [one] => (name, json!(one)),
        _ => (name, json!(values)),
    });
    described.collect()
}

fn as_text<'a>(part: &'a MessagePart<'_>) -> Option<&'a str> {
    match &part.body {
        PartType::Text(text) => Some(text),
        _ => None,
    }
}

fn as_html<'a>(part: &'a MessagePart<'_>) -> Option<&'a str> {
    match &part.body {
        PartType::Html(html) => Some(html),
        _ => None,
    }
}

/// The parts of one kind as one text with plain line feeds, or nothing when there are none.
fn body<'a>(parts: impl Iterator<Item = &'a str>) -> Option<String> {
    let parts: Vec<_> = parts.map(|part| part.replace("\r\n", "\n")).collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

#[cfg(test)]
mod tests;
