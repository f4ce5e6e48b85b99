//! A message as `MailDev` describes it in JSON: the same names, the same decoding, the same things left out.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use mail_parser::{HeaderName, Message, MessageParser, PartType};
use serde::Serialize;

/// One message: what the client said about it (the envelope) and what it says about itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Email {
    pub(crate) id: String,
    /// The `Date` header, or the time of arrival where there is none; RFC 3339 in UTC.
    pub(crate) time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) from: Vec<Address>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) to: Vec<Address>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cc: Vec<Address>,
    /// By lower-case name, with encoded words decoded and folded lines joined.
    pub(crate) headers: BTreeMap<String, Header>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) html: Option<String>,
    pub(crate) envelope: Envelope,
    /// Bytes of the source.
    size: usize,
}

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

#[derive(Debug, Serialize)]
pub(crate) struct Address {
    pub(crate) address: String,
    /// Empty where the header has only an address.
    pub(crate) name: String,
}

/// A header that occurs once is a string, one that is repeated is a list.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Header {
    One(String),
    Many(Vec<String>),
}

impl Header {
    pub(crate) fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    fn add(&mut self, value: String) {
        match self {
            Self::One(first) => *self = Self::Many(vec![std::mem::take(first), value]),
            Self::Many(values) => values.push(value),
        }
    }
}

impl Email {
    /// Reads any bytes: what cannot be understood is left out.
    pub(crate) fn parse(id: String, envelope: Envelope, source: &[u8]) -> Self {
        let bare = Self::without_headers(id, envelope, source);
        let Some(message) = MessageParser::default().parse(source) else {
            return bare;
        };
        Self {
            time: time(&message),
            subject: message.subject().map(str::to_owned),
            message_id: message.message_id().map(str::to_owned),
            from: addresses(message.from()),
            to: addresses(message.to()),
            cc: addresses(message.cc()),
            headers: headers(source),
            text: body(message.text_bodies().filter_map(as_text)),
            html: body(message.html_bodies().filter_map(as_html)),
            ..bare
        }
    }

    /// A source that the parser gives up on, an empty one for instance, is shown as text.
    fn without_headers(id: String, envelope: Envelope, source: &[u8]) -> Self {
        Self {
            id,
            time: rfc3339(Utc::now()),
            subject: None,
            message_id: None,
            from: Vec::new(),
            to: Vec::new(),
            cc: Vec::new(),
            headers: BTreeMap::new(),
            text: Some(String::from_utf8_lossy(source).into_owned()),
            html: None,
            envelope,
            size: source.len(),
        }
    }

    /// The values under a dotted path, such as `subject`, `to.address` or `headers.x-order-id`: what `MailDev`'s filter compares.
    pub(crate) fn values(&self, path: &str) -> Vec<&str> {
        match path.split_once('.') {
            Some(("headers", name)) => {
                let values = self.headers.get(name).map_or(&[][..], Header::values);
                values.iter().map(String::as_str).collect()
            }
            Some(("from", part)) => address_parts(&self.from, part),
            Some(("to", part)) => address_parts(&self.to, part),
            Some(("cc", part)) => address_parts(&self.cc, part),
            _ => self.text_field(path).into_iter().collect(),
        }
    }

    fn text_field(&self, name: &str) -> Option<&str> {
        match name {
            "id" => Some(&self.id),
            "time" => Some(&self.time),
            "subject" => self.subject.as_deref(),
            "messageId" => self.message_id.as_deref(),
            "text" => self.text.as_deref(),
            "html" => self.html.as_deref(),
            _ => None,
        }
    }
}

fn address_parts<'a>(addresses: &'a [Address], part: &str) -> Vec<&'a str> {
    let pick = |address: &'a Address| match part {
        "address" => Some(address.address.as_str()),
        "name" => Some(address.name.as_str()),
        _ => None,
    };
    addresses.iter().filter_map(pick).collect()
}

fn time(message: &Message<'_>) -> String {
    let date = message.date().filter(|date| date.is_valid());
    date.and_then(|date| DateTime::from_timestamp(date.to_timestamp(), 0))
        .map_or_else(|| rfc3339(Utc::now()), rfc3339)
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The addresses of a header, those within a group included.
fn addresses(header: Option<&mail_parser::Address<'_>>) -> Vec<Address> {
    let Some(header) = header else {
        return Vec::new();
    };
    header
        .iter()
        .map(|address| Address {
            address: address.address().unwrap_or_default().to_owned(),
            name: address.name().unwrap_or_default().to_owned(),
        })
        .collect()
}

/// All headers as decoded text.
///
/// A second look at the source, because the first one turns the headers it knows into dates, addresses and the like.
fn headers(source: &[u8]) -> BTreeMap<String, Header> {
    // Without a header named one by one the parser ignores its default and reads addresses as addresses.
    let parser = MessageParser::new()
        .header_text(HeaderName::Subject)
        .default_header_text();
    let message = parser.parse_headers(source);
    let mut headers: BTreeMap<String, Header> = BTreeMap::new();
    for header in message.iter().flat_map(Message::headers) {
        let value = header.value().as_text().unwrap_or_default().to_owned();
        headers
            .entry(header.name().to_lowercase())
            .and_modify(|known| known.add(value.clone()))
            .or_insert(Header::One(value));
    }
    headers
}

fn as_text<'a>(part: &'a mail_parser::MessagePart<'_>) -> Option<&'a str> {
    match &part.body {
        PartType::Text(text) => Some(text),
        _ => None,
    }
}

fn as_html<'a>(part: &'a mail_parser::MessagePart<'_>) -> Option<&'a str> {
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
