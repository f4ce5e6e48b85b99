//! Span names with a part that is not known beforehand.

/// Whether `name` is `pattern`, where each `<…>` stands for one or more characters.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('<') else {
        return pattern == name;
    };
    let Some((_, tail)) = rest.split_once('>') else {
        return pattern == name;
    };
    let Some(after) = name.strip_prefix(head) else {
        return false;
    };
    let ends = after
        .char_indices()
        .map(|(at, first)| at + first.len_utf8());
    ends.into_iter().any(|end| matches(tail, &after[end..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn fills_a_placeholder_with_any_text_but_none() {
        assert!(matches("embeddings <model>", "embeddings tiny-v1"));
        assert!(matches("POST /<a>/<b>/c", "POST /x/y/c"));
        assert!(!matches("embeddings <model>", "embeddings "));
        assert!(!matches("embeddings <model>", "embedding x"));
    }

    #[test]
    fn takes_a_route_template_literally() {
        assert!(matches(
            "POST /stock/{item_id}/reserve",
            "POST /stock/{item_id}/reserve"
        ));
        assert!(!matches(
            "POST /stock/{item_id}/reserve",
            "POST /stock/ITEM-001/reserve"
        ));
    }
}
