//! What real and hostile messages become.

use proptest::prelude::*;

use super::*;

fn parse(source: &str) -> Value {
    super::parse("1", &Envelope::default(), source.as_bytes())
}

#[test]
fn reads_a_multipart_message_as_maildev_does() {
    let json = parse(concat!(
        "From: Shop <shop@example.com>\r\n",
        "To: =?utf-8?q?Ann_=C3=84?= <a@example.com>,\r\n b@example.com\r\n",
        "Subject: =?utf-8?b?w4RwZmVs?=\r\n",
        "Message-ID: <x@y>\r\n",
        "Date: Sat, 21 Nov 2026 08:00:00 +0100\r\n",
        "X-Order-Id: abc\r\nX-Dup: 1\r\nX-Dup: 2\r\n",
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n",
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello\r\nthere\r\n",
        "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<b>hi</b>\r\n--b--\r\n",
    ));
    assert_eq!(json["subject"], "Äpfel");
    assert_eq!(json["messageId"], "x@y");
    assert_eq!(json["time"], "2026-11-21T07:00:00.000Z");
    assert_eq!(
        json["from"],
        serde_json::json!([{ "address": "shop@example.com", "name": "Shop" }])
    );
    assert_eq!(
        json["to"][0],
        serde_json::json!({ "address": "a@example.com", "name": "Ann Ä" })
    );
    assert_eq!(
        json["to"][1],
        serde_json::json!({ "address": "b@example.com", "name": "" })
    );
    assert_eq!(json["text"], "hello\nthere");
    assert_eq!(json["html"], "<b>hi</b>");
    assert_eq!(json["headers"]["x-order-id"], "abc");
    assert_eq!(json["headers"]["x-dup"], serde_json::json!(["1", "2"]));
    assert_eq!(json["headers"]["subject"], "Äpfel");
    assert_eq!(
        json["headers"]["to"],
        "Ann Ä <a@example.com>, b@example.com"
    );
    assert_eq!(
        json["headers"]["content-type"],
        "multipart/alternative; boundary=b"
    );
}

#[test]
fn leaves_out_what_a_message_does_not_have() {
    let json = parse("Subject: plain\r\n\r\nx\r\n");
    assert_eq!(json["text"], "x\n");
    for absent in ["from", "to", "html", "messageId"] {
        assert!(json.get(absent).is_none(), "{absent} in {json}");
    }
}

#[test]
fn html_alone_is_not_shown_as_text() {
    let email = parse("Content-Type: text/html\r\n\r\n<p>hi</p>");
    assert_eq!(email["html"], "<p>hi</p>");
    assert_eq!(email.get("text"), None);
}

#[test]
fn an_empty_source_is_a_message_without_anything() {
    let email = parse("");
    assert_eq!(email["text"], "");
    assert!(email.get("subject").is_none());
    assert_eq!(email["headers"], json!({}));
}

#[test]
fn finds_values_by_path() {
    let email = parse("To: a@x.org, b@x.org\r\nSubject: s\r\nX-Order-Id: 7\r\n\r\n");
    assert_eq!(values(&email, "to.address"), ["a@x.org", "b@x.org"]);
    assert_eq!(values(&email, "subject"), ["s"]);
    assert_eq!(values(&email, "headers.x-order-id"), ["7"]);
    assert!(values(&email, "headers.absent").is_empty());
    assert!(values(&email, "no.such.path").is_empty());
}

#[test]
fn an_impossible_date_becomes_the_time_of_arrival() {
    let before = Utc::now().timestamp();
    let email = parse("Date: Sat, 99 Nov 99999 99:99:99 +9999\r\n\r\n");
    let time = DateTime::parse_from_rfc3339(email["time"].as_str().unwrap()).unwrap();
    assert!((before..=before + 60).contains(&time.timestamp()), "{time}");
}

proptest! {
    #[test]
    fn any_bytes_become_a_message(source in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let email = super::parse("1", &Envelope::default(), &source);
        prop_assert_eq!(&email["size"], source.len());
    }

    /// Random bytes seldom reach the inner parsers; random pieces of real messages do.
    #[test]
    fn any_mixture_of_mail_syntax_becomes_a_message(pieces in proptest::collection::vec(
        prop::sample::select(vec![
            "From: ", "To:", "Date: ", "Subject: ", "Content-Type: multipart/mixed; boundary=", "message/rfc822",
            "Content-Transfer-Encoding: base64", "quoted-printable", "=?utf-8?b?", "?=", "=?utf-7?q?", "=\r\n", "=C3",
            "--b", "--", "b", "\"", ";", "<", ">", "@", ":", ",", "(", "\\", "\r\n", "\r\n\r\n", "\n", " ", "\t", "\0", "ä",
        ]), 0..200)) {
        let source = pieces.concat();
        let email = parse(&source);
        prop_assert_eq!(&email["size"], source.len());
    }
}
