//! The attributes that a sender puts on a message, what AWS demands of them, and their digest.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-message-attributes>

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use crate::{error::Error, limits};

/// Attributes by name; the order is the one their digest is computed in.
pub(crate) type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// One attribute that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageAttribute {
    /// `String`, `Number` or `Binary`, optionally followed by a dot and a label.
    pub(crate) data_type: String,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Of `String` and of `Number`, which travels as text too.
    Text(String),
    Binary(Vec<u8>),
}

/// One attribute as it travels, in requests and in answers.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireAttribute {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    /// Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
    data_type: Option<String>,
}

impl MessageAttribute {
    /// Bytes that count towards the size of a message.
    pub(crate) fn size(&self) -> usize {
        let value = match &self.value {
            Value::Text(text) => text.len(),
            Value::Binary(bytes) => bytes.len(),
        };
        self.data_type.len() + value
    }

    pub(crate) fn to_wire(&self) -> WireAttribute {
        let (string_value, binary_value) = match &self.value {
            Value::Text(text) => (Some(text.clone()), None),
            Value::Binary(bytes) => (None, Some(BASE64.encode(bytes))),
        };
        WireAttribute {
            string_value,
            binary_value,
            data_type: Some(self.data_type.clone()),
        }
    }
}

/// Checks the attributes of a message that is being sent.
pub(crate) fn parse(wire: BTreeMap<String, WireAttribute>) -> Result<MessageAttributes, Error> {
    if wire.len() > limits::MAX_MESSAGE_ATTRIBUTES {
        return Err(invalid(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [10].",
            wire.len()
        )));
    }
    wire.into_iter()
        .map(|(name, attribute)| {
            check_name(&name)?;
            let attribute = parse_attribute(&name, attribute)?;
            Ok((name, attribute))
        })
        .collect()
}

/// Checks one attribute, of the sender's or of the system's.
pub(crate) fn parse_attribute(name: &str, wire: WireAttribute) -> Result<MessageAttribute, Error> {
    let data_type = wire.data_type.unwrap_or_default();
    // A label may follow after a dot.
    let kind = data_type.split('.').next().unwrap_or_default();
    let value = match kind {
        _ if data_type.len() > limits::MAX_ATTRIBUTE_NAME => {
            return Err(invalid(format!(
                "The message attribute '{name}' has a type of more than 256 characters."
            )));
        }
        "String" => Value::Text(string(name, kind, wire.string_value)?),
        "Number" => Value::Text(number(name, wire.string_value)?),
        "Binary" => Value::Binary(binary(name, wire.binary_value)?),
        _ => {
            return Err(invalid(format!(
                "The message attribute '{name}' has an invalid message attribute type, \
                 the set of supported type prefixes is Binary, Number, and String."
            )));
        }
    };
    Ok(MessageAttribute { data_type, value })
}

fn invalid(message: String) -> Error {
    Error::InvalidParameterValue(message)
}

fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_in_alphabet = !name.is_empty() && name.chars().all(allowed);
    let has_empty_part = name.split('.').any(str::is_empty);
    let lower = name.to_ascii_lowercase();
    let is_reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if is_in_alphabet && name.len() <= limits::MAX_ATTRIBUTE_NAME && !has_empty_part && !is_reserved
    {
        return Ok(());
    }
    Err(invalid(format!(
        "The message attribute name '{name}' is invalid. \
         Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters, \
         and at most 256 of them. It must not start or end with a period, contain two in succession, \
         or start with AWS. or Amazon."
    )))
}

fn string(name: &str, kind: &str, value: Option<String>) -> Result<String, Error> {
    let value = value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| no_value(name, kind))?;
    limits::check_characters(&value)?;
    Ok(value)
}

/// A number stays the text it was sent as; up to 38 significant digits may be given.
fn number(name: &str, value: Option<String>) -> Result<String, Error> {
    let value = string(name, "Number", value)?;
    let digits = value.chars().filter(char::is_ascii_digit).count();
    if value.parse::<f64>().is_ok_and(f64::is_finite) && (1..=38).contains(&digits) {
        return Ok(value);
    }
    Err(invalid(format!(
        "Can't cast the value of message (user) attribute '{name}' to a number."
    )))
}

fn binary(name: &str, value: Option<String>) -> Result<Vec<u8>, Error> {
    let value = value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| no_value(name, "Binary"))?;
    BASE64.decode(value).map_err(|_| {
        invalid(format!(
            "The message attribute '{name}' is not valid base64."
        ))
    })
}

fn no_value(name: &str, kind: &str) -> Error {
    invalid(format!(
        "The message attribute '{name}' must contain non-empty message attribute value for message attribute type '{kind}'."
    ))
}

/// The attributes that a receiver asked for by `names`.
///
/// A name is a whole name, `All` or `.*` for everything, or a prefix followed by `.*`.
pub(crate) fn select(attributes: &MessageAttributes, names: &[String]) -> MessageAttributes {
    attributes
        .iter()
        .filter(|(name, _)| names.iter().any(|wanted| matches(wanted, name)))
        .map(|(name, attribute)| (name.clone(), attribute.clone()))
        .collect()
}

fn matches(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => wanted == "All" || wanted == name,
    }
}

/// Lower-case hexadecimal MD5 of attributes, or `None` when there are none.
///
/// The official SDKs compute the same digest and fail the call when it differs.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation>
///
/// Names in ascending order; name, data type and value each preceded by its length in four bytes,
/// big-endian; one byte between type and value says whether the value is text (1) or binary (2).
pub(crate) fn digest_of(attributes: &MessageAttributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        update(&mut digest, name.as_bytes());
        update(&mut digest, attribute.data_type.as_bytes());
        match &attribute.value {
            Value::Text(text) => {
                digest.update([1]);
                update(&mut digest, text.as_bytes());
            }
            Value::Binary(bytes) => {
                digest.update([2]);
                update(&mut digest, bytes);
            }
        }
    }
    Some(hex::encode(digest.finalize()))
}

fn update(digest: &mut Md5, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("a request has at most 8 MiB");
    digest.update(length.to_be_bytes());
    digest.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(data_type: &str, value: &str) -> WireAttribute {
        WireAttribute {
            data_type: Some(data_type.to_owned()),
            string_value: Some(value.to_owned()),
            binary_value: None,
        }
    }

    fn accepts(name: &str, data_type: &str, value: &str) -> bool {
        parse(BTreeMap::from([(name.to_owned(), wire(data_type, value))])).is_ok()
    }

    #[test]
    fn accepts_labels_after_the_three_types() {
        assert!(accepts("n", "String.EmployeeId", "x"));
        assert!(accepts("n", "Number.float", "-1.5e3"));
        assert!(!accepts("n", "Strings", "x"));
        assert!(!accepts("n", "", "x"));
    }

    #[test]
    fn refuses_an_empty_value() {
        assert!(!accepts("n", "String", ""));
    }

    #[test]
    fn refuses_a_number_that_is_none() {
        for value in ["one", "NaN", "inf", "1e999", &"1".repeat(39)] {
            assert!(!accepts("n", "Number", value), "{value}");
        }
    }

    #[test]
    fn refuses_names_outside_the_alphabet_and_reserved_ones() {
        for name in ["", "a b", ".a", "a.", "a..b", "AWS.x", "amazon.x", "ä"] {
            assert!(!accepts(name, "String", "x"), "{name}");
        }
        assert!(accepts("traceparent", "String", "x"));
        assert!(accepts("AWSome-1_x.y", "String", "x"));
    }

    #[test]
    fn refuses_the_eleventh_attribute() {
        let some = |count| {
            (0..count)
                .map(|n| (format!("a{n}"), wire("String", "x")))
                .collect()
        };
        assert!(parse(some(10)).is_ok());
        assert!(parse(some(11)).is_err());
    }

    #[test]
    fn selects_by_name_by_prefix_and_all() {
        let named = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let wire = ["a.x", "a.y", "b"].map(|name| (name.to_owned(), wire("String", "v")));
        let attributes = parse(BTreeMap::from(wire)).unwrap();
        let selected = |names: &[&str]| select(&attributes, &named(names)).len();
        assert_eq!(selected(&[]), 0);
        assert_eq!(selected(&["b", "missing"]), 1);
        assert_eq!(selected(&["a.*"]), 2);
        assert_eq!(selected(&[".*"]), 3);
        assert_eq!(selected(&["All"]), 3);
    }

    fn text(data_type: &str, value: &str) -> MessageAttribute {
        MessageAttribute {
            data_type: data_type.to_owned(),
            value: Value::Text(value.to_owned()),
        }
    }

    #[test]
    fn no_attributes_have_no_digest() {
        assert_eq!(digest_of(&BTreeMap::new()), None);
    }

    #[test]
    fn follows_the_published_algorithm() {
        let one = BTreeMap::from([("timestamp".to_owned(), text("Number", "1493147359900"))]);
        // Computed independently, with another language.
        let expected = "235c5c510d26fb653d073faed50ae77c";
        assert_eq!(digest_of(&one).as_deref(), Some(expected));
    }

    #[test]
    fn a_label_after_the_type_changes_the_digest() {
        let plain = BTreeMap::from([("n".to_owned(), text("Number", "1"))]);
        let labelled = BTreeMap::from([("n".to_owned(), text("Number.int", "1"))]);
        assert_ne!(digest_of(&plain), digest_of(&labelled));
    }

    #[test]
    fn text_and_binary_of_the_same_bytes_differ() {
        let binary = MessageAttribute {
            data_type: "String".to_owned(),
            value: Value::Binary(b"v".to_vec()),
        };
        let binary = BTreeMap::from([("n".to_owned(), binary)]);
        let text = BTreeMap::from([("n".to_owned(), text("String", "v"))]);
        assert_ne!(digest_of(&binary), digest_of(&text));
    }
}
