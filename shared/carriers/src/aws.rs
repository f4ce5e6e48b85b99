//! What SQS and SNS allow in an attribute of a message.

/// Whether `key` may be the name of an attribute.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>
pub(crate) fn is_name(key: &str) -> bool {
    let is_reserved = |prefix: &str| {
        let start = key.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    (1..=256).contains(&key.len())
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        && key.split('.').all(|part| !part.is_empty())
        && !is_reserved("AWS.")
        && !is_reserved("Amazon.")
}

/// Whether `value` may be one: the characters that XML allows, and no others.
pub(crate) fn is_text(value: &str) -> bool {
    let is_control = |b: u8| b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r');
    // All bytes and no early end: that is many at once, and nearly every value is fine.
    let has_control = value.bytes().fold(false, |has, b| has | is_control(b));
    !has_control && (value.is_ascii() || !value.contains(['\u{fffe}', '\u{ffff}']))
}
