//! Filters on attributes: <https://cloud.google.com/pubsub/docs/subscription-message-filter>.
//!
//! ```text
//! expression = term { "AND" term } | term { "OR" term }
//! term       = [ "NOT" | "-" ] ( "(" expression ")" | comparison )
//! comparison = "attributes:" key
//!            | "attributes." key ( "=" | "!=" ) string
//!            | "hasPrefix(attributes." key "," string ")"
//! ```

use std::collections::HashMap;

use crate::error::Error;

mod lexer;

use lexer::{Lexer, Token};

/// The service's limit on a filter's length, in bytes.
const MAX_BYTES: usize = 256;
/// Nesting is bounded so that no filter exhausts the stack.
const MAX_DEPTH: usize = 32;

/// A parsed filter with the text that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    source: String,
    expression: Expression,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    Has(String),
    Equals(String, String),
    HasPrefix(String, String),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Filter {
    /// Reads a filter that is not empty.
    pub(crate) fn parse(source: &str) -> Result<Self, Error> {
        if source.len() > MAX_BYTES {
            return Err(invalid(source, "it is longer than 256 bytes"));
        }
        let mut parser = Parser {
            tokens: Lexer::new(source).peekable(),
        };
        let expression = parser.whole().map_err(|reason| invalid(source, &reason))?;
        Ok(Self {
            source: source.to_owned(),
            expression,
        })
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn matches(&self, attributes: &HashMap<String, String>) -> bool {
        self.expression.matches(attributes)
    }
}

impl Expression {
    /// A message without the attribute does not equal anything, so `!=` is true for it.
    fn matches(&self, attributes: &HashMap<String, String>) -> bool {
        match self {
            Self::Has(key) => attributes.contains_key(key),
            Self::Equals(key, value) => attributes.get(key) == Some(value),
            Self::HasPrefix(key, prefix) => attributes
                .get(key)
                .is_some_and(|value| value.starts_with(prefix)),
            Self::Not(inner) => !inner.matches(attributes),
            Self::All(terms) => terms.iter().all(|term| term.matches(attributes)),
            Self::Any(terms) => terms.iter().any(|term| term.matches(attributes)),
        }
    }
}

struct Parser<'a> {
    tokens: std::iter::Peekable<Lexer<'a>>,
}

impl Parser<'_> {
    fn whole(&mut self) -> Result<Expression, String> {
        let expression = self.expression(0)?;
        match self.tokens.next() {
            None => Ok(expression),
            Some(token) => Err(format!("unexpected {token:?} after the end")),
        }
    }

    /// `AND` and `OR` do not mix without parentheses, as in the real service.
    fn expression(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > MAX_DEPTH {
            return Err("it nests too deeply".to_owned());
        }
        let mut terms = vec![self.term(depth)?];
        let Some(operator) = self.tokens.peek().cloned() else {
            return Ok(terms.remove(0));
        };
        let combine = match &operator {
            Token::Word(word) if word == "AND" => Expression::All,
            Token::Word(word) if word == "OR" => Expression::Any,
            _ => return Ok(terms.remove(0)),
        };
        while self.tokens.next_if_eq(&operator).is_some() {
            terms.push(self.term(depth)?);
        }
        Ok(combine(terms))
    }

    fn term(&mut self, depth: usize) -> Result<Expression, String> {
        let negated = self
            .tokens
            .next_if(|token| *token == Token::Symbol('-') || token.is_word("NOT"))
            .is_some();
        let inner = if self.tokens.next_if_eq(&Token::Symbol('(')).is_some() {
            let inner = self.expression(depth + 1)?;
            self.expect(')')?;
            inner
        } else {
            self.comparison()?
        };
        Ok(if negated {
            Expression::Not(Box::new(inner))
        } else {
            inner
        })
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        match self.tokens.next() {
            Some(token) if token.is_word("hasPrefix") => self.has_prefix(),
            Some(token) if token.is_word("attributes") => self.attribute(),
            other => Err(format!("expected attributes or hasPrefix, found {other:?}")),
        }
    }

    fn has_prefix(&mut self) -> Result<Expression, String> {
        self.expect('(')?;
        if !self
            .tokens
            .next()
            .is_some_and(|token| token.is_word("attributes"))
        {
            return Err("hasPrefix looks at attributes only".to_owned());
        }
        self.expect('.')?;
        let key = self.key()?;
        self.expect(',')?;
        let prefix = self.string()?;
        self.expect(')')?;
        Ok(Expression::HasPrefix(key, prefix))
    }

    fn attribute(&mut self) -> Result<Expression, String> {
        if self.tokens.next_if_eq(&Token::Symbol(':')).is_some() {
            return Ok(Expression::Has(self.key()?));
        }
        self.expect('.')?;
        let key = self.key()?;
        let negated = self.tokens.next_if_eq(&Token::Symbol('!')).is_some();
        self.expect('=')?;
        let equals = Expression::Equals(key, self.string()?);
        Ok(if negated {
            Expression::Not(Box::new(equals))
        } else {
            equals
        })
    }

    fn key(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(key) | Token::Text(key)) => Ok(key),
            other => Err(format!("expected an attribute's key, found {other:?}")),
        }
    }

    fn string(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(text),
            other => Err(format!("expected a quoted string, found {other:?}")),
        }
    }

    fn expect(&mut self, symbol: char) -> Result<(), String> {
        match self.tokens.next() {
            Some(Token::Symbol(found)) if found == symbol => Ok(()),
            other => Err(format!("expected '{symbol}', found {other:?}")),
        }
    }
}

fn invalid(source: &str, reason: &str) -> Error {
    Error::invalid(format!("Invalid filter (filter={source}): {reason}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(filter: &str, attributes: &[(&str, &str)]) -> bool {
        let attributes = attributes
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Filter::parse(filter).unwrap().matches(&attributes)
    }

    #[test]
    fn sees_whether_an_attribute_is_there() {
        assert!(matches("attributes:colour", &[("colour", "")]));
        assert!(!matches("attributes:colour", &[("size", "1")]));
    }

    #[test]
    fn compares_values() {
        assert!(matches(
            r#"attributes.colour = "red""#,
            &[("colour", "red")]
        ));
        assert!(!matches(r#"attributes.colour = "red""#, &[]));
        assert!(matches(r#"attributes.colour != "red""#, &[]));
        assert!(matches(
            r#"hasPrefix(attributes.colour, "re")"#,
            &[("colour", "red")]
        ));
    }

    #[test]
    fn combines_with_and_or_not_and_parentheses() {
        let filter =
            r#"attributes:a AND (attributes.b = "1" OR -attributes:c) AND NOT attributes:d"#;

        assert!(matches(filter, &[("a", ""), ("b", "1"), ("c", "")]));
        assert!(matches(filter, &[("a", "")]));
        assert!(!matches(filter, &[("a", ""), ("c", "")]));
        assert!(!matches(filter, &[("a", ""), ("d", "")]));
    }

    #[test]
    fn a_key_and_a_value_may_hold_anything_when_quoted() {
        assert!(matches(
            r#"attributes."my \"key\"" = "a \\ b""#,
            &[(r#"my "key""#, r"a \ b")]
        ));
    }

    #[test]
    fn rejects_what_it_cannot_read() {
        for filter in [
            "colour",
            "attributes",
            "attributes.",
            "attributes.a = b",
            r#"attributes.a = "b"#,
            r#"attributes.a > "b""#,
            "attributes:a AND",
            "attributes:a AND attributes:b OR attributes:c",
            "(attributes:a",
            "attributes:a)",
            "hasPrefix(a, \"b\")",
        ] {
            assert!(Filter::parse(filter).is_err(), "{filter} was accepted");
        }
        assert!(Filter::parse(&"(".repeat(200)).is_err());
        assert!(Filter::parse(&format!("attributes:{}", "a".repeat(256))).is_err());
    }
}
