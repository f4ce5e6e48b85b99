//! Text that fits and knows its width on the screen, with or without colour.

use std::time::Duration;

use anstyle::Style as Ink;
use unicode_width::UnicodeWidthStr;

/// Columns of the screen that `text` takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// `1 span`, `2 spans`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Nanoseconds in at most seven columns, three significant digits: `0.42 ms`, `84.2 ms`, `842 ms`, `1.24 s`.
pub(super) fn duration(nanos: u64) -> String {
    milliseconds(Duration::from_nanos(nanos).as_secs_f64() * 1000.0)
}

fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 9.995 => format!("{ms:.2} ms"),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 9_995.0 => format!("{:.2} s", ms / 1e3),
        ms if ms < 99_950.0 => format!("{:.1} s", ms / 1e3),
        ms => format!("{:.0} s", ms / 1e3),
    }
}

/// Cuts the middle out of a name that is too wide: its end often tells it from its neighbour.
pub(super) fn shorten(name: &str, room: usize) -> String {
    let name = printable(name);
    if width(&name) <= room {
        return name;
    }
    let kept = room.saturating_sub(1);
    let head = prefix(name.chars(), kept.div_ceil(2));
    let tail: Vec<char> = prefix(name.chars().rev(), kept / 2).chars().rev().collect();
    let ellipsis = if room == 0 { "" } else { "…" };
    format!("{head}{ellipsis}{}", String::from_iter(tail))
}

/// Cuts the end off a sentence that is too wide.
pub(super) fn clip(sentence: &str, room: usize) -> String {
    let sentence = printable(sentence);
    if width(&sentence) <= room {
        return sentence;
    }
    format!("{}…", prefix(sentence.chars(), room.saturating_sub(1)))
}

fn prefix(chars: impl Iterator<Item = char>, room: usize) -> String {
    let mut kept = String::new();
    for next in chars {
        kept.push(next);
        if width(&kept) > room {
            kept.pop();
            break;
        }
    }
    kept
}

/// Names come from outside: a line break or an escape sequence in one must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Whether colours are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

/// A piece of a line; escape sequences do not count towards its width.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) width: usize,
}

impl Paint {
    pub(super) fn cell(self, ink: Ink, raw: &str) -> Cell {
        let plain = !self.0 || ink.is_plain() || raw.trim().is_empty();
        Cell {
            text: if plain {
                raw.to_owned()
            } else {
                format!("{ink}{raw}{ink:#}")
            },
            width: width(raw),
        }
    }
}

impl Cell {
    /// This piece and the next, without a gap.
    pub(super) fn then(self, next: &Self) -> Self {
        Self {
            text: self.text + &next.text,
            width: self.width + next.width,
        }
    }

    /// Padded to `width`, on the left when `right` aligned.
    pub(super) fn padded(&self, width: usize, right: bool) -> String {
        let gap = " ".repeat(width.saturating_sub(self.width));
        if right {
            gap + &self.text
        } else {
            format!("{}{gap}", self.text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_durations_in_at_most_seven_columns() {
        let written: Vec<String> = [
            0.0, 0.416, 9.996, 84.24, 841.7, 999.6, 1_240.0, 62_100.0, 700_000.0,
        ]
        .map(milliseconds)
        .into();
        let expected = [
            "0.00 ms", "0.42 ms", "10.0 ms", "84.2 ms", "842 ms", "1.00 s", "1.24 s", "62.1 s",
            "700 s",
        ];
        assert_eq!(written, expected);
    }

    #[test]
    fn keeps_both_ends_of_a_name_that_is_too_wide() {
        assert_eq!(
            shorten("POST /stock/{item_id}/reserve", 20),
            "POST /stoc…}/reserve"
        );
        assert_eq!(shorten("POST", 20), "POST");
    }

    #[test]
    fn counts_the_columns_of_wide_characters() {
        assert_eq!(width(&shorten("注文を分類する", 9)), 9);
    }

    #[test]
    fn lets_no_control_character_through() {
        assert_eq!(shorten("a\x1b[31mb\nc", 20), "a [31mb c");
        assert_eq!(clip("two\nlines", 20), "two lines");
    }
}
