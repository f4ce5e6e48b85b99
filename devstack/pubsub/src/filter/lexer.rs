//! Words, quoted text and symbols of a filter.

use std::iter::Peekable;
use std::str::Chars;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Symbol(char),
    /// A quoted string without an end; no rule of the grammar accepts it.
    Unterminated,
}

impl Token {
    pub(super) fn is_word(&self, expected: &str) -> bool {
        matches!(self, Self::Word(word) if word == expected)
    }
}

pub(super) struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            rest: source.chars().peekable(),
        }
    }

    fn word(&mut self, first: char) -> Token {
        let mut word = String::from(first);
        while let Some(letter) = self.rest.next_if(|letter| is_word(*letter)) {
            word.push(letter);
        }
        Token::Word(word)
    }

    fn text(&mut self) -> Token {
        let mut text = String::new();
        loop {
            match self.rest.next() {
                None => return Token::Unterminated,
                Some('"') => return Token::Text(text),
                Some('\\') => text.extend(self.rest.next()),
                Some(letter) => text.push(letter),
            }
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        while self.rest.next_if(|letter| letter.is_whitespace()).is_some() {}
        let first = self.rest.next()?;
        Some(match first {
            '"' => self.text(),
            letter if is_word_start(letter) => self.word(letter),
            symbol => Token::Symbol(symbol),
        })
    }
}

fn is_word_start(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// A hyphen may stand inside a word but not begin it, where it means NOT.
fn is_word(letter: char) -> bool {
    is_word_start(letter) || letter == '-'
}
