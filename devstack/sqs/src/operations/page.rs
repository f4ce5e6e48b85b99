//! Lists in pages; a page's token is the last name it showed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

use super::in_range;
use crate::{error::Error, limits};

pub(super) struct Page {
    pub(super) names: Vec<String>,
    /// Only when the client asked for pages and there is another one.
    pub(super) next_token: Option<String>,
}

/// The page of the sorted `names` that follows `token`.
pub(super) fn of<'a>(
    names: impl Iterator<Item = &'a str>,
    max_results: Option<i64>,
    token: Option<&str>,
) -> Result<Page, Error> {
    let size = in_range("MaxResults", max_results, &(1..=limits::MAX_PAGE as u64))?;
    let after = token.map(decode).transpose()?;
    let names = names.filter(|name| after.as_deref().is_none_or(|after| *name > after));
    let mut names: Vec<String> = names
        .take(limits::MAX_PAGE + 1)
        .map(str::to_owned)
        .collect();
    let size = size.and_then(|size| usize::try_from(size).ok());
    let is_cut = names.len() > size.unwrap_or(limits::MAX_PAGE);
    names.truncate(size.unwrap_or(limits::MAX_PAGE));
    let last = names.last().filter(|_| is_cut && size.is_some());
    let next_token = last.map(|name| BASE64.encode(name));
    Ok(Page { names, next_token })
}

fn decode(token: &str) -> Result<String, Error> {
    let name = BASE64.decode(token).ok();
    let name = name.and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| Error::InvalidParameterValue("Invalid or expired next token.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(size: Option<i64>, token: Option<&str>) -> Page {
        of(["a", "b", "c"].into_iter(), size, token).unwrap()
    }

    #[test]
    fn pages_cover_everything_once() {
        let first = page(Some(2), None);
        assert_eq!(first.names, ["a", "b"]);
        let second = page(Some(2), first.next_token.as_deref());
        assert_eq!(second.names, ["c"]);
        assert_eq!(second.next_token, None);
    }

    #[test]
    fn without_a_size_there_is_one_page() {
        let all = page(None, None);
        assert_eq!((all.names.len(), all.next_token), (3, None));
    }

    #[test]
    fn refuses_sizes_and_tokens_that_are_none() {
        assert!(of(std::iter::empty(), Some(0), None).is_err());
        assert!(of(std::iter::empty(), Some(1_001), None).is_err());
        assert!(of(std::iter::empty(), None, Some("!")).is_err());
    }
}
