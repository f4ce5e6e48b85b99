//! How a sender names a request, so that sending it again does nothing again.
//!
//! <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>

use std::str::FromStr;

/// The name of a request: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoKey;

impl IdempotencyKey {
    const MAX_CHARACTERS: usize = 255;

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The draft wants a string of RFC 8941 §3.3.3, in quotes; a key without them is taken too, since many clients send it
/// so, and is the same key. What parts values from each other and from their parameters needs the quotes.
impl FromStr for IdempotencyKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let quoted = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let key = match quoted {
            Some(escaped) => unescape(escaped)?,
            None if text.contains(['"', '\\', ',', ';']) => return Err(NoKey),
            None => text.to_owned(),
        };
        let legal = (1..=Self::MAX_CHARACTERS).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        if legal { Ok(Self(key)) } else { Err(NoKey) }
    }
}

/// A backslash stands before a quote or another backslash, and neither of them stands alone.
fn unescape(text: &str) -> Result<String, NoKey> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\')) => escaped,
                _ => return Err(NoKey),
            },
            '"' => return Err(NoKey),
            other => other,
        });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        text.parse::<IdempotencyKey>().ok().map(|key| key.0)
    }

    #[test]
    fn a_key_with_and_without_quotes_is_the_same() {
        let uuid = "8e03978e-40d5-43dd-bc93-6894a57f9324";
        assert_eq!(key(uuid).as_deref(), Some(uuid));
        assert_eq!(key(&format!("\"{uuid}\"")).as_deref(), Some(uuid));
        assert_eq!(key(r#""a\"b\\c,d;e""#).as_deref(), Some(r#"a"b\c,d;e"#));
    }

    #[test]
    fn has_1_to_255_characters_however_they_are_spelt() {
        for length in [1, 255] {
            let long = "k".repeat(length);
            assert_eq!(key(&long), Some(long.clone()));
            assert_eq!(key(&format!("\"{long}\"")), Some(long));
        }
        assert!(key(&format!("\"{}\"", r"\\".repeat(255))).is_some());
        for wrong in [String::new(), "\"\"".to_owned(), "k".repeat(256)] {
            assert_eq!(key(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn refuses_what_is_neither_a_string_nor_a_bare_word() {
        for wrong in [
            "\"",
            "\"a",
            "a\"",
            "a\"b",
            "\"a\"b\"",
            "\"a\\\"",
            "\"a\\b\"",
            "a b",
            "\"a b\"",
            "a\tb",
            "ä",
            "\"\u{7f}\"",
            "a,b",
            "\"a\", \"b\"",
            "\"a\";p=1",
            "a;p",
            "a\\b",
        ] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }
}
