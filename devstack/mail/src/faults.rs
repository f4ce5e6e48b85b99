//! What the mail server does on a bad day, and to whom.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use standin::faults::{FaultError, Faults, Times, Written};

/// What goes wrong on purpose. Its text form is that of the setting: `greylist:1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// `greylist[:times]`: 451 to the first RCPT of each recipient, once if nothing else is said.
    Greylist(u32),
    /// `refuse_auth[:times]`: 535 to AUTH, which is offered then, and to MAIL of who did not try it.
    RefuseAuth(Times),
    /// `refuse_sender[:times]`: 550 5.7.1 to MAIL.
    RefuseSender(Times),
    /// `unknown_recipient:<address>`: 550 5.1.1 to RCPT of that address.
    UnknownRecipient(String),
    /// `slow:<milliseconds>`: every reply takes so much longer.
    Slow(Duration),
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let written = Written::parse(text);
        match written.name {
            "greylist" => match written.times()? {
                Times::First(times) => Ok(Self::Greylist(times)),
                Times::Always => Ok(Self::Greylist(1)),
            },
            "refuse_auth" => written.times().map(Self::RefuseAuth),
            "refuse_sender" => written.times().map(Self::RefuseSender),
            "unknown_recipient" => match written.value.unwrap_or_default() {
                address if address.contains('@') => {
                    Ok(Self::UnknownRecipient(address.to_lowercase()))
                }
                other => Err(FaultError(format!(
                    "unknown_recipient: {other:?} is not an address"
                ))),
            },
            "slow" => written.delay().map(Self::Slow),
            _ => Err(FaultError(format!(
                "{text:?} is not one of greylist[:times], refuse_auth[:times], refuse_sender[:times], unknown_recipient:<address>, slow:<milliseconds>"
            ))),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greylist(times) => write!(f, "greylist:{times}"),
            Self::RefuseAuth(times) => write!(f, "refuse_auth{times}"),
            Self::RefuseSender(times) => write!(f, "refuse_sender{times}"),
            Self::UnknownRecipient(address) => write!(f, "unknown_recipient:{address}"),
            Self::Slow(delay) => write!(f, "slow:{}", delay.as_millis()),
        }
    }
}

/// How long a reply is held back.
pub(crate) fn delay(faults: &Faults<Fault>) -> Duration {
    let delay = |fault| match fault {
        Fault::Slow(delay) => Some(delay),
        _ => None,
    };
    faults.list().into_iter().filter_map(delay).sum()
}

/// Whether AUTH is offered, which it is only to be refused.
pub(crate) fn offers_auth(faults: &Faults<Fault>) -> bool {
    let mut list = faults.list().into_iter();
    list.any(|fault| matches!(fault, Fault::RefuseAuth(_)))
}

/// Whether credentials, or their lack, are refused this time.
pub(crate) fn refuses_auth(faults: &Faults<Fault>) -> bool {
    let times = |fault: &Fault| match fault {
        Fault::RefuseAuth(times) => Some(*times),
        _ => None,
    };
    faults.meet((), times).is_some()
}

/// Whether the sender is refused this time.
pub(crate) fn refuses_sender(faults: &Faults<Fault>) -> bool {
    let times = |fault: &Fault| match fault {
        Fault::RefuseSender(times) => Some(*times),
        _ => None,
    };
    faults.meet((), times).is_some()
}

/// The fault that the recipient meets this time: they are unknown, or put off.
pub(crate) fn refuses_recipient(faults: &Faults<Fault>, recipient: &str) -> Option<Fault> {
    let recipient = recipient.to_lowercase();
    faults.meet(&recipient, |fault| match fault {
        Fault::UnknownRecipient(unknown) => (*unknown == recipient).then_some(Times::Always),
        Fault::Greylist(times) => Some(Times::First(*times)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "greylist:2",
            "refuse_auth",
            "refuse_auth:1",
            "refuse_sender",
            "refuse_sender:3",
            "unknown_recipient:ann@example.com",
            "slow:250",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        let once = "greylist".parse::<Fault>().unwrap();
        assert_eq!(once, Fault::Greylist(1));
    }

    #[test]
    fn says_what_is_wrong_with_a_fault() {
        for (text, expected) in [
            ("broken", "\"broken\" is not one of greylist[:times]"),
            ("", "\"\" is not one of "),
            (
                "greylist:0",
                "greylist: \"0\" is not a number from 1 to 4294967295",
            ),
            ("refuse_auth:", "refuse_auth: \"\" is not a number"),
            ("slow", "slow: \"\" is not a number from 1 to 600000"),
            (
                "unknown_recipient",
                "unknown_recipient: \"\" is not an address",
            ),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
