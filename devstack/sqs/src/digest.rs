//! The MD5 digests by which a client checks that its message arrived whole, and the SHA-256 by which
//! a FIFO queue knows a message again.
//!
//! The official SDKs compute the same MD5 digests and fail the call when they differ.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation>

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use sha2::Sha256;

use crate::message_attributes::{MessageAttribute, Value};

/// Lower-case hexadecimal MD5 of a message body.
pub(crate) fn of_body(body: &str) -> String {
    hex::encode(Md5::digest(body))
}

/// The deduplication id of a message whose sender left it to the queue: the SHA-256 of its body.
pub(crate) fn deduplication_id(body: &str) -> String {
    hex::encode(Sha256::digest(body))
}

/// Lower-case hexadecimal MD5 of message attributes, or `None` when there are none.
///
/// Names in ascending order; name, data type and value each preceded by its length in four bytes,
/// big-endian; one byte between type and value says whether the value is text (1) or binary (2).
pub(crate) fn of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        update(&mut digest, name.as_bytes());
        update(&mut digest, attribute.data_type.as_bytes());
        match &attribute.value {
            Value::Text(text) => {
                digest.update([1]);
                update(&mut digest, text.as_bytes());
            }
            Value::Binary(bytes) => {
                digest.update([2]);
                update(&mut digest, bytes);
            }
        }
    }
    Some(hex::encode(digest.finalize()))
}

fn update(digest: &mut Md5, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("a request has at most 8 MiB");
    digest.update(length.to_be_bytes());
    digest.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(data_type: &str, value: &str) -> MessageAttribute {
        MessageAttribute {
            data_type: data_type.to_owned(),
            value: Value::Text(value.to_owned()),
        }
    }

    #[test]
    fn no_attributes_have_no_digest() {
        assert_eq!(of_attributes(&BTreeMap::new()), None);
    }

    #[test]
    fn follows_the_published_algorithm() {
        let one = BTreeMap::from([("timestamp".to_owned(), text("Number", "1493147359900"))]);
        // Computed independently, with another language.
        let expected = "235c5c510d26fb653d073faed50ae77c";
        assert_eq!(of_attributes(&one).as_deref(), Some(expected));
    }

    #[test]
    fn the_deduplication_id_is_the_sha_256_of_the_body() {
        // The example of FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(deduplication_id("abc"), expected);
    }

    #[test]
    fn a_label_after_the_type_changes_the_digest() {
        let plain = BTreeMap::from([("n".to_owned(), text("Number", "1"))]);
        let labelled = BTreeMap::from([("n".to_owned(), text("Number.int", "1"))]);
        assert_ne!(of_attributes(&plain), of_attributes(&labelled));
    }

    #[test]
    fn text_and_binary_of_the_same_bytes_differ() {
        let binary = MessageAttribute {
            data_type: "String".to_owned(),
            value: Value::Binary(b"v".to_vec()),
        };
        let binary = BTreeMap::from([("n".to_owned(), binary)]);
        let text = BTreeMap::from([("n".to_owned(), text("String", "v"))]);
        assert_ne!(of_attributes(&binary), of_attributes(&text));
    }
}
