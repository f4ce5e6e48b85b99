//! Calls of the handler: the lines by which a member tells of them, and what its parent makes of these.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::record::Record;

/// A line on a member's standard output. Times are microseconds since 1970, so that those of two processes compare.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Line {
    Begin {
        call: u64,
        record: Record,
        attempt: u32,
        at: u128,
    },
    End {
        call: u64,
        outcome: Outcome,
        at: u128,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Processed,
    /// The handler asked for another attempt.
    Retry,
    /// The consumer dropped the call before its end.
    Aborted,
    /// The process was killed meanwhile.
    Killed,
}

#[derive(Debug)]
pub(crate) struct Call {
    /// The number of the process.
    pub(crate) member: usize,
    pub(crate) record: Record,
    pub(crate) attempt: u32,
    pub(crate) begin: u128,
    pub(crate) end: u128,
    pub(crate) outcome: Outcome,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (member, record, attempt) = (self.member, self.record, self.attempt);
        let (begin, end, outcome) = (self.begin, self.end, self.outcome);
        write!(
            f,
            "attempt {attempt} at {record} by member {member} ({begin} to {end} µs, {outcome:?})"
        )
    }
}

/// The calls of one process.
#[derive(Debug)]
pub(crate) struct Calls {
    member: usize,
    open: HashMap<u64, Call>,
    ended: Vec<Call>,
}

impl Calls {
    pub(crate) fn of(member: usize) -> Self {
        Self {
            member,
            open: HashMap::new(),
            ended: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, line: Line) {
        match line {
            Line::Begin {
                call,
                record,
                attempt,
                at,
            } => {
                let begun = Call {
                    member: self.member,
                    record,
                    attempt,
                    begin: at,
                    end: at,
                    outcome: Outcome::Killed,
                };
                self.open.insert(call, begun);
            }
            Line::End { call, outcome, at } => {
                if let Some(mut call) = self.open.remove(&call) {
                    (call.end, call.outcome) = (at, outcome);
                    self.ended.push(call);
                }
            }
        }
    }

    /// All of them; those without an end ended with their process.
    pub(crate) fn end(mut self, process_ended: u128) -> Vec<Call> {
        for mut call in self.open.into_values() {
            call.end = process_ended.max(call.begin);
            self.ended.push(call);
        }
        self.ended
    }
}

pub(crate) fn now() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("the clock is set").as_micros()
}
