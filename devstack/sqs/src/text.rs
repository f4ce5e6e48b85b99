//! What texts SQS lets through.

use crate::{error::Error, limits};

/// Refuses characters that XML 1.0 has no way to write, as SQS does in bodies and attribute values.
/// <https://www.w3.org/TR/REC-xml/#charsets>
pub(crate) fn check_characters(text: &str) -> Result<(), Error> {
    let allowed = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        Ok(())
    } else {
        Err(Error::InvalidMessageContents)
    }
}

/// Whether `name` may name a queue or a batch entry: letters, digits, hyphens, underscores, at most 80.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=limits::MAX_NAME).contains(&name.len()) && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_control_characters_and_non_characters() {
        for text in ["\0", "a\u{1f}", "\u{fffe}", "\u{ffff}"] {
            assert!(check_characters(text).is_err(), "{text:?}");
        }
        assert!(check_characters("tab\t line\r\n ü \u{fffd} 😀").is_ok());
    }

    #[test]
    fn knows_the_names_that_aws_knows() {
        assert!(is_name("classification-jobs_1"));
        assert!(is_name(&"a".repeat(80)));
        for name in ["", "a b", "jobs.fifo", "ü", &"a".repeat(81)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
