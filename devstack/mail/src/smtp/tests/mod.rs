//! The conversation, without a socket: scripts of bytes, whole and in pieces.

use super::line::MAX_LINE_BYTES;
use super::reply::{MAX_MESSAGE_BYTES, MAX_RECIPIENTS};
use super::*;

mod properties;

/// A client and the server's answers so far.
struct Conversation {
    session: Session,
    mailbox: Mailbox,
}

impl Conversation {
    fn new() -> Self {
        Self {
            session: Session::new("127.0.0.1".into(), Arc::default()),
            mailbox: Mailbox::default(),
        }
    }

    fn greeted() -> Self {
        let mut conversation = Self::new();
        assert!(conversation.say("EHLO client\r\n").starts_with("250-"));
        conversation
    }

    fn in_transaction() -> Self {
        let mut conversation = Self::greeted();
        let reply = conversation.say("MAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\n");
        assert_eq!(codes(&reply), [250, 250]);
        conversation
    }

    fn say(&mut self, bytes: impl AsRef<[u8]>) -> String {
        answer(&mut self.session, bytes.as_ref(), &self.mailbox).replies
    }

    fn sources(&self) -> Vec<Vec<u8>> {
        self.mailbox
            .snapshot()
            .messages
            .iter()
            .map(|kept| kept.source.to_vec())
            .collect()
    }
}

/// The code of each reply; a reply of several lines counts once.
fn codes(replies: &str) -> Vec<u16> {
    let last_lines = replies.lines().filter(|line| line.as_bytes()[3] == b' ');
    last_lines.map(|line| line[..3].parse().unwrap()).collect()
}

const WHOLE: &str = "EHLO c\r\nMAIL FROM:<a@x.org> SIZE=9 BODY=8BITMIME\r\nRCPT TO:<b@x.org>\r\nDATA\r\nSubject: s\r\n\r\n..dot\r\n.\r\nQUIT\r\n";

#[test]
fn takes_a_pipelined_message_and_unstuffs_its_dots() {
    let mut conversation = Conversation::new();
    assert_eq!(
        codes(&conversation.say(WHOLE)),
        [250, 250, 250, 354, 250, 221]
    );
    assert_eq!(conversation.sources(), [b"Subject: s\r\n\r\n.dot\r\n"]);
}

#[test]
fn announces_its_extensions_to_ehlo_and_none_to_helo() {
    let mut conversation = Conversation::new();
    let reply = conversation.say("EHLO client\r\n");
    for extension in ["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10485760"] {
        assert!(reply.contains(extension), "{extension} is not in {reply}");
    }
    assert_eq!(conversation.say("HELO client\r\n"), reply::HELLO);
}

#[test]
fn takes_an_empty_message() {
    let mut conversation = Conversation::in_transaction();
    assert_eq!(codes(&conversation.say("DATA\r\n.\r\n")), [354, 250]);
    assert_eq!(conversation.sources(), [b""]);
}

#[test]
fn a_bare_line_feed_does_not_end_a_message() {
    let mut conversation = Conversation::in_transaction();
    let reply = conversation.say("DATA\r\nx\n.\nMAIL FROM:<evil@x.org>\r\n.\r\n");
    assert_eq!(codes(&reply), [354, 250]);
    assert_eq!(
        conversation.sources(),
        [b"x\n.\nMAIL FROM:<evil@x.org>\r\n"]
    );
}

#[test]
fn refuses_commands_out_of_order() {
    let cases = [
        ("MAIL FROM:<a@x.org>\r\n", vec![503]),
        ("EHLO c\r\nRCPT TO:<b@x.org>\r\n", vec![250, 503]),
        ("EHLO c\r\nDATA\r\n", vec![250, 503]),
        (
            "EHLO c\r\nMAIL FROM:<a@x.org>\r\nMAIL FROM:<a@x.org>\r\n",
            vec![250, 250, 503],
        ),
        (
            "EHLO c\r\nMAIL FROM:<a@x.org>\r\nDATA\r\n",
            vec![250, 250, 554],
        ),
        (
            "EHLO c\r\nMAIL FROM:<a@x.org>\r\nRSET\r\nRCPT TO:<b@x.org>\r\n",
            vec![250, 250, 250, 503],
        ),
        (
            "EHLO c\r\nMAIL FROM:<a@x.org>\r\nEHLO c\r\nRCPT TO:<b@x.org>\r\n",
            vec![250, 250, 250, 503],
        ),
    ];
    for (script, expected) in cases {
        assert_eq!(
            codes(&Conversation::new().say(script)),
            expected,
            "{script}"
        );
    }
}

#[test]
fn answers_each_kind_of_bad_command_with_its_code() {
    let cases: [(&[u8], u16); 16] = [
        (b"\r\n", 500),
        (b"HELO\r\n", 501),
        (b"BREW coffee\r\n", 500),
        (b"\xff\xfe\x00\r\n", 500),
        (b"MAIL\r\n", 501),
        (b"MAIL FROM: nobody\r\n", 501),
        (b"MAIL FROM:<a..b@x.org>\r\n", 553),
        (b"MAIL FROM:<\xc3\xa4@x.org>\r\n", 553),
        (b"MAIL FROM:<a@x.org> SIZE=99999999\r\n", 552),
        (b"MAIL FROM:<a@x.org> SIZE=many\r\n", 501),
        (b"MAIL FROM:<a@x.org> BODY=BINARYMIME\r\n", 555),
        (b"MAIL FROM:<a@x.org> FROBNICATE=1\r\n", 555),
        (b"AUTH PLAIN AAAA\r\n", 502),
        (b"STARTTLS\r\n", 502),
        (b"BDAT 5 LAST\r\n", 502),
        (b"EXPN list\r\n", 502),
    ];
    for (line, code) in cases {
        let line_text = String::from_utf8_lossy(line);
        assert_eq!(
            codes(&Conversation::greeted().say(line)),
            [code],
            "{line_text}"
        );
    }
}

#[test]
fn refuses_a_recipient_without_an_address_and_goes_on() {
    let mut conversation = Conversation::in_transaction();
    for bad in [
        "RCPT TO:<>\r\n",
        "RCPT TO:<a@@x.org>\r\n",
        "RCPT TO:<\u{e4}@x.org>\r\n",
    ] {
        assert_eq!(codes(&conversation.say(bad)), [553], "{bad}");
    }
    assert_eq!(codes(&conversation.say("DATA\r\nx\r\n.\r\n")), [354, 250]);
}

#[test]
fn takes_the_null_sender_and_addresses_beyond_ascii_when_asked() {
    let mut conversation = Conversation::greeted();
    assert_eq!(
        codes(&conversation.say("MAIL FROM:<>\r\nRSET\r\n")),
        [250, 250]
    );
    let reply = conversation
        .say("MAIL FROM:<\u{e4}@x.org> SMTPUTF8\r\nRCPT TO:<\u{f6}@x.org>\r\nDATA\r\n.\r\n");
    assert_eq!(codes(&reply), [250, 250, 354, 250]);
    let kept = &conversation.mailbox.snapshot().messages[0];
    assert_eq!(kept.email["envelope"]["to"][0]["address"], "\u{f6}@x.org");
}

#[test]
fn takes_a_hundred_recipients_and_asks_to_come_back_with_the_rest() {
    let mut conversation = Conversation::greeted();
    conversation.say("MAIL FROM:<a@x.org>\r\n");
    for _ in 0..MAX_RECIPIENTS {
        assert_eq!(codes(&conversation.say("RCPT TO:<b@x.org>\r\n")), [250]);
    }
    assert_eq!(codes(&conversation.say("RCPT TO:<b@x.org>\r\n")), [452]);
    assert_eq!(codes(&conversation.say("DATA\r\n.\r\n")), [354, 250]);
    let kept = &conversation.mailbox.snapshot().messages[0];
    let recipients = kept.email["envelope"]["to"].as_array();
    assert_eq!(recipients.map(Vec::len), Some(MAX_RECIPIENTS));
}

#[test]
fn refuses_a_line_that_is_too_long_and_reads_the_next() {
    let mut conversation = Conversation::greeted();
    let longest = format!("NOOP {}\r\n", "x".repeat(MAX_LINE_BYTES - 7));
    assert_eq!(codes(&conversation.say(longest)), [250]);
    let too_long = format!("NOOP {}\r\nNOOP\r\n", "x".repeat(MAX_LINE_BYTES - 6));
    assert_eq!(codes(&conversation.say(too_long)), [500, 250]);
    for _ in 0..10 {
        assert_eq!(conversation.say("x".repeat(MAX_LINE_BYTES)), "");
    }
    assert_eq!(codes(&conversation.say("\r\nNOOP\r\n")), [500, 250]);
}

#[test]
fn refuses_a_message_that_is_too_large_and_takes_the_next() {
    let mut conversation = Conversation::in_transaction();
    conversation.say("DATA\r\n");
    let piece = "x".repeat(1022) + "\r\n";
    for _ in 0..=MAX_MESSAGE_BYTES / piece.len() {
        assert_eq!(conversation.say(&piece), "");
    }
    assert_eq!(codes(&conversation.say(".\r\n")), [552]);
    assert!(conversation.sources().is_empty());
    let next = conversation.say("MAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\nx\r\n.\r\n");
    assert_eq!(codes(&next), [250, 250, 354, 250]);
}

#[test]
fn hangs_up_on_a_client_that_only_makes_mistakes() {
    let mut session = Session::new("127.0.0.1".into(), Arc::default());
    let answer = answer(
        &mut session,
        "GET / HTTP/1.1\r\n".repeat(50).as_bytes(),
        &Mailbox::default(),
    );
    assert!(answer.close);
    assert_eq!(codes(&answer.replies).last(), Some(&421));
    assert_eq!(codes(&answer.replies).len(), 21);
}

#[test]
fn ignores_what_comes_after_quit() {
    let mut conversation = Conversation::greeted();
    assert_eq!(codes(&conversation.say("QUIT\r\nNOOP\r\n")), [221]);
}
