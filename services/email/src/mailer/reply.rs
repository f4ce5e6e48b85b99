//! What the mail server's answers mean.
//!
//! | what the server does | decision |
//! |---|---|
//! | cannot be reached, TLS fails, hangs up, takes too long | `Unavailable` |
//! | 421 or 521: it closes, or takes no mail at all | `Unavailable` |
//! | 454, 530, 534, 535, 538: it wants us to log in otherwise | `Unavailable` |
//! | 452 without a better code, x.3.1, x.3.2: it has no room, or takes no mail now | `Unavailable` |
//! | x.7.8, x.7.9, x.7.11, x.7.14, x.7.20 to x.7.27: our login, DKIM, SPF, host name or sender | `Unavailable` |
//! | any other refusal of the greeting, EHLO, STARTTLS, AUTH | `Unavailable` |
//! | any other refusal of MAIL: the sender is ours, for all mails | `Unavailable` |
//! | RCPT, 5xx: no such mailbox (x.1.x), or one that takes no mail | `Refused` |
//! | RCPT, 5xx: it is full (x.2.2, 552); policy (x.7.x), which may be about us; our grammar (50x, x.5.x) | `PutOff` |
//! | RCPT, 4xx: greylisting (also as 4.7.1), a mailbox that is busy or full | `PutOff` |
//! | DATA and the message, 4xx | `PutOff` |
//! | DATA and the message, 5xx: perhaps for what it says | `Doubted` |
//!
//! A line further up goes before one below. Codes are those of <https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3>,
//! <https://www.rfc-editor.org/rfc/rfc4954#section-6> and, where there are three numbers,
//! <https://www.iana.org/assignments/smtp-enhanced-status-codes>.
//!
//! A refusal by policy at RCPT is not `Unavailable`, because one recipient's rule would then stop the mails to all.

use std::error::Error;
use std::fmt;

use lettre::transport::smtp;

/// What can be done about a mail that was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendMailError {
    /// The server takes no mail of ours: it is away or busy, or does not let us in.
    #[error("the mail server failed: {0}")]
    Unavailable(Failure),
    /// The server puts this mail off, for hours perhaps, and may take others.
    #[error("the mail is put off: {0}")]
    PutOff(Failure),
    /// The server refuses this mail, perhaps for what it says.
    #[error("the mail is not taken: {0}")]
    Doubted(Failure),
    /// There is no such recipient, or the mail cannot be written.
    #[error("the mail is refused: {0}")]
    Refused(Failure),
}

impl SendMailError {
    pub(crate) fn failure(&self) -> &Failure {
        match self {
            Self::Unavailable(failure)
            | Self::PutOff(failure)
            | Self::Doubted(failure)
            | Self::Refused(failure) => failure,
        }
    }
}

/// What went wrong, without the server's words, which like to repeat the address.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One of few.
    pub(crate) class: &'static str,
    /// What the server said, if it did.
    reply: Option<Reply>,
    reason: String,
}

impl Failure {
    pub(super) fn new(class: &'static str, reason: impl Into<String>) -> Self {
        Self {
            class,
            reply: None,
            reason: reason.into(),
        }
    }

    fn reply(step: Step, reply: Reply) -> Self {
        Self {
            class: step.class(),
            reply: Some(reply),
            reason: format!("{reply} was the answer to {step}"),
        }
    }

    /// The code of the reply, or the class where there is none: `error.type`.
    pub(super) fn error_type(&self) -> String {
        match self.reply {
            Some(reply) => reply.code.to_string(),
            None => self.class.to_owned(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// What the server was asked when it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// All that comes before a mail: the connection, EHLO, STARTTLS, AUTH.
    Connection,
    Sender,
    Recipient,
    Message,
}

impl Step {
    fn class(self) -> &'static str {
        match self {
            Self::Connection => "smtp_connection",
            Self::Sender => "smtp_sender",
            Self::Recipient => "smtp_recipient",
            Self::Message => "smtp_message",
        }
    }

    /// For `map_err`: what an error means at this step.
    pub(super) fn failed(self, error: &smtp::Error) -> SendMailError {
        match Reply::of(error) {
            Some(reply) => reply.decide(self)(Failure::reply(self, reply)),
            None => SendMailError::Unavailable(unanswered(error)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection => "the connection",
            Self::Sender => "MAIL",
            Self::Recipient => "RCPT",
            Self::Message => "DATA",
        })
    }
}

fn unanswered(error: &smtp::Error) -> Failure {
    if error.is_timeout() {
        return Failure::new("timeout", "it did not answer in time");
    }
    if error.is_tls() {
        return Failure::new("tls", error.to_string());
    }
    // The error of a reply that cannot be read tells the reply.
    if error.is_response() {
        return Failure::new("connection", "it hung up, or does not speak SMTP");
    }
    Failure::new("connection", error.to_string())
}

/// A negative reply: its code, and the subject and detail of its enhanced code (RFC 3463) if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reply {
    code: u16,
    enhanced: Option<(u16, u16)>,
}

type Decision = fn(Failure) -> SendMailError;

impl Reply {
    fn of(error: &smtp::Error) -> Option<Self> {
        let code = error.status()?.into();
        let words = error.source().map(ToString::to_string).unwrap_or_default();
        Some(Self::new(code, &words))
    }

    fn new(code: u16, words: &str) -> Self {
        let first = words.split_whitespace().next().unwrap_or_default();
        let numbers: Vec<u16> = first.split('.').map_while(|n| n.parse().ok()).collect();
        let enhanced = match numbers[..] {
            [class, subject, detail] if class == code / 100 => Some((subject, detail)),
            _ => None,
        };
        Self { code, enhanced }
    }

    fn decide(self, step: Step) -> Decision {
        if self.is_about_us() {
            return SendMailError::Unavailable;
        }
        match (step, self.code / 100) {
            (Step::Connection | Step::Sender, _) => SendMailError::Unavailable,
            (Step::Recipient, 5) if self.refuses_mailbox() => SendMailError::Refused,
            (Step::Message, 5) => SendMailError::Doubted,
            (Step::Recipient | Step::Message, _) => SendMailError::PutOff,
        }
    }

    fn is_about_us(self) -> bool {
        match (self.code, self.enhanced) {
            (421 | 521 | 454 | 530 | 534 | 535 | 538, _) | (452, None) => true,
            (_, Some((3, detail))) => matches!(detail, 1 | 2),
            (_, Some((7, detail))) => matches!(detail, 8 | 9 | 11 | 14 | 20..=27),
            _ => false,
        }
    }

    /// x.7.17 and x.7.18: the mailbox, or its domain, has another owner than it had.
    fn refuses_mailbox(self) -> bool {
        match (self.code, self.enhanced) {
            (_, Some((1, _) | (7, 17 | 18))) => true,
            (_, Some((2, 2) | (5 | 7, _))) => false,
            (code, _) => !matches!(code, 500..=504 | 552),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        match self.enhanced {
            Some((subject, detail)) => write!(f, " {}.{subject}.{detail}", self.code / 100),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(step: Step, reply: &str) -> &'static str {
        let (code, words) = reply.split_once(' ').unwrap_or((reply, ""));
        let reply = Reply::new(code.parse().unwrap(), words);
        match reply.decide(step)(Failure::reply(step, reply)) {
            SendMailError::Unavailable(_) => "unavailable",
            SendMailError::PutOff(_) => "put off",
            SendMailError::Doubted(_) => "doubted",
            SendMailError::Refused(_) => "refused",
        }
    }

    #[test]
    fn what_is_about_us_is_nobodys_fault_at_any_step() {
        for step in [
            Step::Connection,
            Step::Sender,
            Step::Recipient,
            Step::Message,
        ] {
            for reply in [
                "421 4.7.0 too many connections",
                "452 no room",
                "452 4.3.1 no room",
                "552 5.3.1 no room",
                "454 4.7.1 relay access denied",
                "530 5.7.0 log in first",
                "535 5.7.8 wrong password",
                "550 5.7.26 neither SPF nor DKIM",
                "521 no mail here",
            ] {
                assert_eq!(decision(step, reply), "unavailable", "{step}: {reply}");
            }
        }
    }

    #[test]
    fn whatever_refuses_our_sender_is_not_about_the_recipient() {
        for reply in [
            "550 5.7.1 not you",
            "501 bad address",
            "553",
            "451 4.1.8 who is that",
        ] {
            assert_eq!(decision(Step::Sender, reply), "unavailable", "{reply}");
            assert_eq!(decision(Step::Connection, reply), "unavailable", "{reply}");
        }
    }

    #[test]
    fn a_mailbox_that_does_not_exist_is_given_up_and_any_other_is_asked_again() {
        for reply in [
            "550 5.1.1 no such user",
            "550 no such user",
            "501 5.1.3 bad address",
            "553",
            "556 5.1.10 no mail there",
            "550 5.2.1 disabled",
            "550 5.7.17 another owner",
        ] {
            assert_eq!(decision(Step::Recipient, reply), "refused", "{reply}");
        }
        for reply in [
            "450 4.2.0 greylisted",
            "451 4.7.1 greylisted",
            "451 later",
            "452 4.2.2 full",
            "552 5.2.2 full",
            "552 full",
            "550 5.7.1 not from you",
            "503 5.5.1 bad sequence",
            "500",
        ] {
            assert_eq!(decision(Step::Recipient, reply), "put off", "{reply}");
        }
    }

    #[test]
    fn a_message_that_is_not_taken_is_doubted_unless_it_is_for_now() {
        for reply in ["554 5.7.1 spam", "552 5.3.4 too big", "550"] {
            assert_eq!(decision(Step::Message, reply), "doubted", "{reply}");
        }
        assert_eq!(decision(Step::Message, "451 4.7.1 later"), "put off");
    }

    #[test]
    fn an_enhanced_code_has_three_numbers_and_the_class_of_its_reply() {
        assert_eq!(Reply::new(550, "5.1.1 no").to_string(), "550 5.1.1");
        for words in [
            "",
            "no such user",
            "4.1.1 no",
            "5.1 no",
            "5.1.1.1 no",
            "5.x.1 no",
        ] {
            assert_eq!(Reply::new(550, words).to_string(), "550", "{words}");
        }
    }
}
