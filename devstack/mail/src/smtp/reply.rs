//! Every reply of the server: the codes of RFC 5321 §4.2 with the enhanced codes of RFC 3463.

use std::borrow::Cow;

use smtp_proto::Error;

/// Announced with the SIZE extension (RFC 1870).
pub(super) const MAX_MESSAGE_BYTES: usize = 10 * 1024 * 1024;
/// The least that RFC 5321 §4.5.3.1.8 lets a server offer.
pub(super) const MAX_RECIPIENTS: usize = 100;

/// One or more complete reply lines.
pub(super) type Reply = Cow<'static, str>;

pub(super) const GREETING: &str = "220 localhost ESMTP OrderFlow mail sink\r\n";
pub(super) const HELLO: &str = "250 localhost\r\n";
pub(super) const OK: &str = "250 2.0.0 OK\r\n";
pub(super) const START_MAIL: &str = "354 End the message with a dot on a line of its own\r\n";
pub(super) const BYE: &str = "221 2.0.0 Bye\r\n";
pub(super) const HELP: &str = "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT\r\n";
/// Not a yes: every address is accepted, and none is known to exist.
pub(super) const CANNOT_VERIFY: &str = "252 2.5.0 Cannot verify, send and see\r\n";

pub(super) const SHUTTING_DOWN: &str = "421 4.3.2 The server is stopping\r\n";
pub(super) const IDLE_TOO_LONG: &str = "421 4.4.2 Nothing was said for too long\r\n";
pub(super) const TOO_MANY_CONNECTIONS: &str = "421 4.7.0 Too many connections\r\n";
pub(super) const TOO_MANY_ERRORS: &str = "421 4.7.0 Too many errors\r\n";

pub(super) const LINE_TOO_LONG: &str = "500 5.5.6 Line too long\r\n";
pub(super) const NOT_IMPLEMENTED: &str = "502 5.5.1 Command not implemented\r\n";
pub(super) const BAD_SEQUENCE: &str = "503 5.5.1 Bad sequence: EHLO, MAIL, RCPT, DATA\r\n";
pub(super) const MESSAGE_TOO_LARGE: &str = "552 5.3.4 Message too large\r\n";
pub(super) const BAD_RECIPIENT: &str = "553 5.1.3 Bad recipient address\r\n";
pub(super) const NEEDS_SMTPUTF8: &str = "553 5.6.7 This address needs SMTPUTF8\r\n";
pub(super) const NO_RECIPIENTS: &str = "554 5.5.1 No valid recipients\r\n";
pub(super) const UNKNOWN_PARAMETER: &str = "555 5.5.4 Parameter not supported\r\n";
const UNKNOWN_COMMAND: &str = "500 5.5.2 Command not recognized\r\n";
const SYNTAX_ERROR: &str = "501 5.5.4 Syntax error\r\n";
const BAD_SENDER: &str = "553 5.1.7 Bad sender address\r\n";

/// Temporary by RFC 5321 §4.5.3.1.10, so that the client sends the rest in another transaction.
pub(super) const TOO_MANY_RECIPIENTS: &str = "452 4.5.3 Too many recipients\r\n";

// On purpose: see `faults`.
pub(super) const AUTHENTICATED: &str = "235 2.7.0 Authentication succeeded\r\n";
pub(super) const GREYLISTED: &str = "451 4.7.1 Greylisted, please try again later\r\n";
pub(super) const BAD_CREDENTIALS: &str = "535 5.7.8 Authentication credentials invalid\r\n";
pub(super) const UNKNOWN_RECIPIENT: &str = "550 5.1.1 No such mailbox here\r\n";
pub(super) const SENDER_REFUSED: &str = "550 5.7.1 Not allowed to send as this address\r\n";

/// The answer to EHLO: what this server can do beyond the basics.
pub(super) fn extensions(auth: bool) -> Reply {
    let auth = if auth { "250-AUTH PLAIN\r\n" } else { "" };
    format!(
        "250-localhost\r\n{auth}250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250-LIMITS RCPTMAX={MAX_RECIPIENTS}\r\n250 SIZE {MAX_MESSAGE_BYTES}\r\n"
    )
    .into()
}

/// The message is kept, under the id that the REST API knows.
pub(super) fn kept(id: &str) -> Reply {
    format!("250 2.0.0 Message kept as {id}\r\n").into()
}

/// What was wrong with a command; nothing the client sent is repeated to it.
pub(super) fn syntax_error(error: &Error) -> Reply {
    match error {
        Error::UnknownCommand => UNKNOWN_COMMAND.into(),
        Error::InvalidSenderAddress => BAD_SENDER.into(),
        Error::InvalidRecipientAddress => BAD_RECIPIENT.into(),
        Error::UnsupportedParameter { .. } => UNKNOWN_PARAMETER.into(),
        Error::SyntaxError { syntax } => format!("501 5.5.4 Syntax: {syntax}\r\n").into(),
        Error::InvalidParameter { param } => format!("501 5.5.4 Bad value for {param}\r\n").into(),
        Error::NeedsMoreData { .. } | Error::ResponseTooLong | Error::InvalidResponse { .. } => {
            SYNTAX_ERROR.into()
        }
    }
}
