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

/// One attribute, kept as it travels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct MessageAttribute {
    /// `String`, `Number` or `Binary`, optionally followed by a dot and a label.
    pub(crate) data_type: String,
    /// Of `String` and of `Number`, which travels as text too.
    pub(crate) string_value: Option<String>,
    /// Of `Binary`, in Base64.
    pub(crate) binary_value: Option<String>,
}

impl MessageAttribute {
    /// The value, and the byte that stands for its kind in a digest: 1 for text and 2 for binary.
    fn value(&self) -> (u8, Vec<u8>) {
        match (&self.string_value, &self.binary_value) {
            (_, Some(binary)) => (2, BASE64.decode(binary).unwrap_or_default()),
            (text, None) => (1, text.clone().unwrap_or_default().into_bytes()),
        }
    }

    /// Bytes that count towards the size of a message.
    pub(crate) fn size(&self) -> usize {
        self.data_type.len() + self.value().1.len()
    }

    /// Refuses a value that is not of its type, and drops one that belongs to another.
    fn check(mut self, name: &str) -> Result<Self, Error> {
        // A label may follow after a dot.
        let kind = self.data_type.split('.').next().unwrap_or_default();
        let value = if kind == "Binary" {
            self.string_value = None;
            &self.binary_value
        } else {
            self.binary_value = None;
            &self.string_value
        };
        let value = value.as_deref().unwrap_or_default();
        let (is_valid, reason) = match kind {
            _ if self.data_type.len() > limits::MAX_ATTRIBUTE_NAME => {
                (false, "has a type of more than 256 characters.")
            }
            "String" | "Number" | "Binary" if value.is_empty() => {
                (false, "must contain a non-empty value of its type.")
            }
            "String" => (true, ""),
            "Number" => (is_number(value), "has a value that is not a number."),
            "Binary" => (BASE64.decode(value).is_ok(), "is not valid base64."),
            _ => (
                false,
                "has an invalid message attribute type, the set of supported type prefixes is \
                 Binary, Number, and String.",
            ),
        };
        limits::check_characters(value)?;
        if is_valid {
            return Ok(self);
        }
        let refusal = format!("The message attribute '{name}' {reason}");
        Err(Error::InvalidParameterValue(refusal))
    }
}

/// A number stays the text it was sent as; up to 38 significant digits may be given.
fn is_number(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    value.parse::<f64>().is_ok_and(f64::is_finite) && (1..=38).contains(&digits)
}

/// Checks the attributes of a message that is being sent.
pub(crate) fn check(attributes: MessageAttributes) -> Result<MessageAttributes, Error> {
    let number = attributes.len();
    if number > limits::MAX_MESSAGE_ATTRIBUTES {
        return Err(Error::InvalidParameterValue(format!(
            "Number of message attributes [{number}] exceeds the allowed maximum [10]."
        )));
    }
    let check = |(name, attribute): (String, MessageAttribute)| {
        check_name(&name)?;
        let attribute = attribute.check(&name)?;
        Ok((name, attribute))
    };
    attributes.into_iter().map(check).collect()
}

fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_in_alphabet = name.chars().all(allowed) && name.len() <= limits::MAX_ATTRIBUTE_NAME;
    let has_empty_part = name.split('.').any(str::is_empty);
    let lower = name.to_ascii_lowercase();
    let is_reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if is_in_alphabet && !has_empty_part && !is_reserved {
        return Ok(());
    }
    Err(Error::InvalidParameterValue(format!(
        "The message attribute name '{name}' is invalid. \
         Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters, \
         and at most 256 of them. It must not start or end with a period, contain two in succession, \
         or start with AWS. or Amazon."
    )))
}

/// The attributes that a receiver asked for by `names`.
///
/// A name is a whole name, `All` or `.*` for everything, or a prefix followed by `.*`.
pub(crate) fn select(attributes: &MessageAttributes, names: &[String]) -> MessageAttributes {
    let matches = |wanted: &String, name: &str| match wanted.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => wanted == "All" || wanted == name,
    };
    let mut selected = attributes.clone();
    selected.retain(|name, _| names.iter().any(|wanted| matches(wanted, name)));
    selected
}

/// Lower-case hexadecimal MD5 of attributes, or `None` when there are none.
///
/// The official SDKs compute the same digest and fail the call when it differs.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation>
///
/// Names in ascending order; name, data type and value each preceded by its length in four bytes,
/// big-endian; one byte between type and value says whether the value is text (1) or binary (2).
pub(crate) fn digest_of(attributes: &MessageAttributes) -> Option<String> {
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        let (kind, value) = attribute.value();
        update(&mut digest, name.as_bytes());
        update(&mut digest, attribute.data_type.as_bytes());
        digest.update([kind]);
        update(&mut digest, &value);
    }
    (!attributes.is_empty()).then(|| hex::encode(digest.finalize()))
}

fn update(digest: &mut Md5, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("a request has at most 8 MiB");
    digest.update(length.to_be_bytes());
    digest.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(data_type: &str, value: &str) -> MessageAttribute {
        MessageAttribute {
            data_type: data_type.to_owned(),
            string_value: Some(value.to_owned()),
            binary_value: None,
        }
    }

    fn accepts(name: &str, data_type: &str, value: &str) -> bool {
        check(BTreeMap::from([(name.to_owned(), text(data_type, value))])).is_ok()
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
                .map(|n| (format!("a{n}"), text("String", "x")))
                .collect()
        };
        assert!(check(some(10)).is_ok());
        assert!(check(some(11)).is_err());
    }

    #[test]
    fn selects_by_name_by_prefix_and_all() {
        let named = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let named_so = ["a.x", "a.y", "b"].map(|name| (name.to_owned(), text("String", "v")));
        let attributes = check(BTreeMap::from(named_so)).unwrap();
        let selected = |names: &[&str]| select(&attributes, &named(names)).len();
        assert_eq!(selected(&[]), 0);
        assert_eq!(selected(&["b", "missing"]), 1);
        assert_eq!(selected(&["a.*"]), 2);
        assert_eq!(selected(&[".*"]), 3);
        assert_eq!(selected(&["All"]), 3);
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
            string_value: None,
            binary_value: Some(BASE64.encode("v")),
        };
        let binary = BTreeMap::from([("n".to_owned(), binary)]);
        let text = BTreeMap::from([("n".to_owned(), text("String", "v"))]);
        assert_ne!(digest_of(&binary), digest_of(&text));
    }
}
