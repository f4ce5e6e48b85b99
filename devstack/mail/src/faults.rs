//! Faults on purpose: the mail server as it is on a bad day. None is there unless it was asked for.
//!
//! They are set at the start, and changed while the server runs with `PUT /faults` and `DELETE /faults`.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many recipients are told apart; when there are more, counting begins anew.
const MAX_COUNTED: usize = 100_000;
const MAX_DELAY_MS: u64 = 600_000;

/// What goes wrong on purpose. Its text form is that of the setting: `greylist:1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// So many times; then it works.
    First(u32),
    /// Until it is mended.
    Always,
}

/// Why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Nothing is called that.
    #[error(
        "{0:?} is not one of greylist[:times], refuse_auth[:times], refuse_sender[:times], unknown_recipient:<address>, slow:<milliseconds>"
    )]
    Unknown(String),
    /// There is a number missing, or out of its range.
    #[error("{fault}: {value:?} is not a number from 1 to {max}")]
    Number {
        /// Which fault.
        fault: &'static str,
        /// What was written instead.
        value: String,
        /// The largest that is allowed.
        max: u64,
    },
    /// What should be an address is none.
    #[error("unknown_recipient: {0:?} is not an address")]
    Address(String),
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, value) = match text.trim().split_once(':') {
            Some((name, value)) => (name, Some(value.trim())),
            None => (text.trim(), None),
        };
        match name {
            "greylist" => match times("greylist", value)? {
                Times::First(times) => Ok(Self::Greylist(times)),
                Times::Always => Ok(Self::Greylist(1)),
            },
            "refuse_auth" => Ok(Self::RefuseAuth(times("refuse_auth", value)?)),
            "refuse_sender" => Ok(Self::RefuseSender(times("refuse_sender", value)?)),
            "unknown_recipient" => {
                let address = value.unwrap_or_default();
                if !address.contains('@') {
                    return Err(FaultError::Address(address.to_owned()));
                }
                Ok(Self::UnknownRecipient(address.to_lowercase()))
            }
            "slow" => {
                let delay = number("slow", value.unwrap_or_default(), MAX_DELAY_MS)?;
                Ok(Self::Slow(Duration::from_millis(delay)))
            }
            _ => Err(FaultError::Unknown(text.to_owned())),
        }
    }
}

fn times(fault: &'static str, value: Option<&str>) -> Result<Times, FaultError> {
    let Some(value) = value else {
        return Ok(Times::Always);
    };
    let times = number(fault, value, u32::MAX.into())?;
    Ok(u32::try_from(times).map_or(Times::Always, Times::First))
}

fn number(fault: &'static str, value: &str, max: u64) -> Result<u64, FaultError> {
    let number = value.parse().ok();
    let number = number.filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| FaultError::Number {
        fault,
        value: value.to_owned(),
        max,
    })
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

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(times) => write!(f, ":{times}"),
            Self::Always => Ok(()),
        }
    }
}

impl TryFrom<String> for Fault {
    type Error = FaultError;

    fn try_from(text: String) -> Result<Self, FaultError> {
        text.parse()
    }
}

impl From<Fault> for String {
    fn from(fault: Fault) -> Self {
        fault.to_string()
    }
}

/// The faults that are switched on, and how often each happened.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    faults: Vec<Fault>,
    /// How often each recipient was put off.
    put_off: HashMap<String, u32>,
    refused_auth: u32,
    refused_sender: u32,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        let new = Self::default();
        new.set(faults);
        new
    }

    /// Counting begins anew.
    pub(crate) fn set(&self, faults: Vec<Fault>) {
        let text: Vec<_> = faults.iter().map(Fault::to_string).collect();
        if !text.is_empty() {
            tracing::warn!(faults = text.join(","), "faults are switched on");
        }
        *self.lock() = Inner {
            faults,
            ..Inner::default()
        };
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.lock().faults.clone()
    }

    /// How long a reply is held back.
    pub(crate) fn delay(&self) -> Duration {
        let inner = self.lock();
        let delays = inner.faults.iter().filter_map(|fault| match fault {
            Fault::Slow(delay) => Some(*delay),
            _ => None,
        });
        delays.sum()
    }

    /// Whether AUTH is offered, which it is only to be refused.
    pub(crate) fn offers_auth(&self) -> bool {
        let mut faults = self.list().into_iter();
        faults.any(|fault| matches!(fault, Fault::RefuseAuth(_)))
    }

    /// Whether credentials, or their lack, are refused this time.
    pub(crate) fn refuses_auth(&self) -> bool {
        let inner = &mut *self.lock();
        let times = inner.faults.iter().find_map(|fault| match fault {
            Fault::RefuseAuth(times) => Some(*times),
            _ => None,
        });
        times.is_some_and(|times| times.includes(&mut inner.refused_auth))
    }

    /// Whether the sender is refused this time.
    pub(crate) fn refuses_sender(&self) -> bool {
        let inner = &mut *self.lock();
        let times = inner.faults.iter().find_map(|fault| match fault {
            Fault::RefuseSender(times) => Some(*times),
            _ => None,
        });
        times.is_some_and(|times| times.includes(&mut inner.refused_sender))
    }

    /// Whether nobody has this address.
    pub(crate) fn is_unknown(&self, recipient: &str) -> bool {
        let recipient = recipient.to_lowercase();
        let inner = self.lock();
        let mut faults = inner.faults.iter();
        faults
            .any(|fault| matches!(fault, Fault::UnknownRecipient(unknown) if *unknown == recipient))
    }

    /// Whether the recipient is put off this time.
    pub(crate) fn puts_off(&self, recipient: &str) -> bool {
        let inner = &mut *self.lock();
        let times = inner.faults.iter().find_map(|fault| match fault {
            Fault::Greylist(times) => Some(*times),
            _ => None,
        });
        let Some(times) = times else {
            return false;
        };
        if inner.put_off.len() >= MAX_COUNTED {
            inner.put_off.clear();
        }
        let count = inner.put_off.entry(recipient.to_lowercase()).or_default();
        Times::First(times).includes(count)
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Times {
    /// Whether one more is included, which is counted then.
    fn includes(self, count: &mut u32) -> bool {
        let included = match self {
            Self::First(times) => *count < times,
            Self::Always => true,
        };
        *count = count.saturating_add(u32::from(included));
        included
    }
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
