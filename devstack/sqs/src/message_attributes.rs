//! The attributes that a sender puts on a message, and what AWS demands of them.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-message-attributes>

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};

use crate::{error::Error, limits, text};

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
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct WireAttribute {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    /// Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
    #[serde(skip_serializing)]
    string_list_values: Vec<String>,
    #[serde(skip_serializing)]
    binary_list_values: Vec<String>,
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
            ..WireAttribute::default()
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
    if !wire.string_list_values.is_empty() || !wire.binary_list_values.is_empty() {
        return Err(Error::UnsupportedOperation(
            "Message attribute list values in SendMessage operation are not supported.".to_owned(),
        ));
    }
    let data_type = check_data_type(name, wire.data_type)?;
    let value = match kind(&data_type) {
        "String" => Value::Text(string(name, "String", wire.string_value)?),
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

/// The type before the label, if there is one.
fn kind(data_type: &str) -> &str {
    data_type
        .split_once('.')
        .map_or(data_type, |(kind, _)| kind)
}

fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > limits::MAX_ATTRIBUTE_NAME || !name.chars().all(allowed) {
        return Err(invalid(format!(
            "The message attribute name '{name}' is invalid. \
             Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters, \
             and at most 256 of them."
        )));
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err(invalid(format!(
            "The message attribute name '{name}' must not start or end with a period, nor contain two in succession."
        )));
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return Err(invalid(format!(
            "The message attribute name '{name}' starts with a reserved prefix."
        )));
    }
    Ok(())
}

fn check_data_type(name: &str, data_type: Option<String>) -> Result<String, Error> {
    match data_type {
        Some(data_type) if data_type.len() > limits::MAX_ATTRIBUTE_NAME => Err(invalid(format!(
            "The message attribute '{name}' has a type of more than 256 characters."
        ))),
        Some(data_type) if !data_type.is_empty() => Ok(data_type),
        _ => Err(invalid(format!(
            "The message attribute '{name}' must contain a non-empty message attribute type."
        ))),
    }
}

fn string(name: &str, kind: &str, value: Option<String>) -> Result<String, Error> {
    let value = value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| no_value(name, kind))?;
    text::check_characters(&value)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(data_type: &str, value: &str) -> WireAttribute {
        WireAttribute {
            data_type: Some(data_type.to_owned()),
            string_value: Some(value.to_owned()),
            ..WireAttribute::default()
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
}
