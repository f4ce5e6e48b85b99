//! Lists in pages: the token of a page is the last name of the one before.

use std::str::FromStr;

use crate::error::Error;

const MAX_PAGE: usize = 1000;
const DEFAULT_PAGE: usize = 100;

pub(super) struct Page<N> {
    pub(super) after: Option<N>,
    size: usize,
}

impl<N: FromStr<Err = Error>> Page<N> {
    pub(super) fn parse(size: i32, token: &str) -> Result<Self, Error> {
        let size = match usize::try_from(size) {
            Ok(0) => DEFAULT_PAGE,
            Ok(size) => size.min(MAX_PAGE),
            Err(_) => return Err(Error::invalid("page_size must not be negative.")),
        };
        let after = match token {
            "" => None,
            token => Some(token.parse().map_err(|_| {
                Error::invalid(format!("Invalid page token (page_token={token})."))
            })?),
        };
        Ok(Self { after, size })
    }
}

impl<N> Page<N> {
    /// The page's items, and the token of the next page: empty on the last.
    pub(super) fn cut<T>(
        &self,
        mut items: impl Iterator<Item = T>,
        name: impl Fn(&T) -> String,
    ) -> (Vec<T>, String) {
        let page: Vec<T> = items.by_ref().take(self.size).collect();
        let token = match (page.last(), items.next()) {
            (Some(last), Some(_)) => name(last),
            _ => String::new(),
        };
        (page, token)
    }
}
