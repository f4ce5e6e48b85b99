use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a customer wrote about an order: at most 1000 characters of text, often empty.
///
/// Tabs and line feeds are the only control characters; NUL in particular is one that PostgreSQL cannot store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Note(String);

/// A text that is not a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than 1000 characters.
    #[error("note must be at most {max} characters long, not {0}", max = Note::MAX_CHARACTERS)]
    TooLong(usize),
    /// A control character.
    #[error("note must not contain the control character U+{:04X}", u32::from(*.0))]
    Control(char),
    /// A code point that is no character, and that SQS refuses in a message.
    #[error("note must not contain U+{:04X}, which is no character", u32::from(*.0))]
    Noncharacter(char),
}

impl Note {
    const MAX_CHARACTERS: usize = 1000;

    /// Refuses what a broker would refuse later, when the order has been accepted.
    ///
    /// SQS takes the characters of XML 1.0 §2.2, which are all that pass as a note but two.
    /// Only for what comes in at the door: notes with them were accepted once, and can still be read.
    pub(crate) fn refuse_noncharacters(self) -> Result<Self, NoteError> {
        match self
            .0
            .chars()
            .find(|c| matches!(c, '\u{fffe}' | '\u{ffff}'))
        {
            Some(wrong) => Err(NoteError::Noncharacter(wrong)),
            None => Ok(self),
        }
    }

    /// The text; empty when the customer wrote nothing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Note {
    type Error = NoteError;

    fn try_from(text: String) -> Result<Self, NoteError> {
        let length = text.chars().count();
        if length > Self::MAX_CHARACTERS {
            return Err(NoteError::TooLong(length));
        }
        match text
            .chars()
            .find(|&c| c.is_control() && !matches!(c, '\n' | '\t'))
        {
            Some(control) => Err(NoteError::Control(control)),
            None => Ok(Self(text)),
        }
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_and_not_bytes() {
        assert!("ü".repeat(1000).parse::<Note>().is_ok());
        assert_eq!(
            "ü".repeat(1001).parse::<Note>(),
            Err(NoteError::TooLong(1001))
        );
    }

    #[test]
    fn takes_tabs_and_line_feeds_and_no_other_control_characters() {
        assert_eq!("a\n\tb".parse::<Note>().unwrap().as_str(), "a\n\tb");
        for control in ['\0', '\r', '\u{1b}', '\u{7f}', '\u{85}'] {
            assert_eq!(
                control.to_string().parse::<Note>(),
                Err(NoteError::Control(control))
            );
        }
    }

    #[test]
    fn names_the_control_character() {
        assert_eq!(
            NoteError::Control('\0').to_string(),
            "note must not contain the control character U+0000"
        );
    }
}
