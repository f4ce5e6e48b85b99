//! What holds for any bytes, however the network cuts them.

use proptest::prelude::*;

use super::*;

/// Pieces of real conversations, so that random scripts get past the first command.
fn script() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"EHLO c\r\n",
        b"HELO ",
        b"MAIL FROM:<a@x.org>",
        b"MAIL FROM:<",
        b"RCPT TO:<b@x.org>",
        b"RCPT TO:<\"",
        b" SIZE=",
        b" BODY=8BITMIME",
        b" SMTPUTF8",
        b" BY=1;N",
        b" RET=FULL",
        b"DATA\r\n",
        b"RSET\r\n",
        b"QUIT",
        b"BDAT 9",
        b"AUTH PLAIN ",
        b"\r\n.\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b".",
        b"..",
        b">",
        b"@",
        b"<",
        b" ",
        b"\0",
        b"\xff",
        b"\xc3\xa4",
        b"99999999999999999999",
        b"x",
    ];
    proptest::collection::vec(prop::sample::select(pieces), 0..80)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn survives_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let replies = Conversation::greeted().say(bytes);
        prop_assert!(replies.is_empty() || replies.ends_with("\r\n"));
    }

    /// How the network cuts the bytes must not matter: not for a command, not for the end of a message.
    #[test]
    fn pieces_give_the_same_answers_as_the_whole(script in script(), piece in 1_usize..9) {
        let mut whole = Conversation::greeted();
        let mut cut = Conversation::greeted();
        let at_once = answer(&mut whole.session, &script, &whole.mailbox);
        let mut in_pieces = Answer::default();
        for piece in script.chunks(piece) {
            let next = answer(&mut cut.session, piece, &cut.mailbox);
            in_pieces.replies.push_str(&next.replies);
            in_pieces.close = next.close;
            if next.close {
                break;
            }
        }
        prop_assert_eq!(&at_once.replies, &in_pieces.replies);
        prop_assert_eq!(at_once.close, in_pieces.close);
        prop_assert_eq!(whole.sources(), cut.sources());
    }
}
