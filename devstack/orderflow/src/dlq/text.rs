//! How letters are written for people. What others sent must not move the cursor of their terminal, nor turn its lines round.

use chrono::{DateTime, SecondsFormat, Utc};

pub(super) const DASH: &str = "-";

/// On one line, without control characters and without those that change the direction of what follows.
pub(super) fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control() || is_bidi_control(c), " ")
}

/// Unicode's property `Bidi_Control`, <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// At most `most` characters of it.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= most {
        return text;
    }
    let beginning: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", beginning.trim_end())
}

pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(super) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| DASH.to_owned(), |value| value.to_string())
}

/// For people: a payload that is JSON, as readable as it gets; other text as it is; bytes as their number.
pub(super) fn payload(payload: Option<&[u8]>) -> String {
    let Some(bytes) = payload else {
        return "none (a tombstone)".to_owned();
    };
    let text = match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(json) => format!("{json:#}"),
        Err(_) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => return format!("{} bytes that are no text", bytes.len()),
        },
    };
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_sent_cannot_move_the_cursor() {
        assert_eq!(plain("a\x1b[2Jb\nc"), "a [2Jb c");
        assert_eq!(payload(Some(b"a\x1b[2J\nb")), "a [2J\nb");
        assert_eq!(plain("\u{202e}diap\u{2069}"), " diap ");
        assert_eq!(payload(Some("\"\u{202e}diap\"".as_bytes())), "\" diap\"");
    }

    #[test]
    fn long_reasons_are_shortened_at_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöü ß", 4), "äöü…");
    }

    #[test]
    fn a_payload_is_shown_as_what_it_is() {
        assert_eq!(payload(Some(br#"{"a":1}"#)), "{\n  \"a\": 1\n}");
        assert_eq!(payload(Some(&[0xff, 0xfe])), "2 bytes that are no text");
        assert_eq!(payload(None), "none (a tombstone)");
    }
}
