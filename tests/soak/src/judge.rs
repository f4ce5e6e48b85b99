//! What must be true of all calls, whoever was killed.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::calls::{Call, Outcome};
use crate::record::Record;
use crate::topic::Progress;

/// A rule, and each case in which it was broken.
pub(crate) struct Verdict {
    pub(crate) rule: &'static str,
    pub(crate) violations: Vec<String>,
}

/// What a kill may repeat: of each partition what had run ahead of the commit, and what was processed since the last
/// one, which is a second ago and at 8 side by side for 10 ms is 800 records; twice that on a busy machine.
const REPEATED_BY_A_KILL: usize = 6 * (1000 + 2 * 800);

/// `sent` is how many records each key has.
pub(crate) fn judge(
    sent: &[usize],
    calls: &[Call],
    progress: &[Progress],
    killed: usize,
) -> Vec<Verdict> {
    let verdict = |rule, violations| Verdict { rule, violations };
    vec![
        verdict("every record was processed", unprocessed(sent, calls)),
        verdict("no two calls of a key overlap", overlapping(calls)),
        verdict("a record waits for the one before it", overtaking(calls)),
        verdict("all offsets are committed", uncommitted(progress)),
        verdict("a kill repeats little", repeated(calls, killed)),
    ]
}

fn unprocessed(sent: &[usize], calls: &[Call]) -> Vec<String> {
    let processed: HashSet<_> = processed(calls).map(|call| call.record).collect();
    let all = sent
        .iter()
        .enumerate()
        .flat_map(|(key, records)| (0..*records).map(move |sequence| Record { key, sequence }));
    let missing = all.filter(|record| !processed.contains(record));
    missing
        .map(|record| format!("{record} was never processed"))
        .collect()
}

fn overlapping(calls: &[Call]) -> Vec<String> {
    let mut violations = Vec::new();
    for calls in by_key(calls).into_values() {
        let mut longest = calls[0];
        for call in &calls[1..] {
            if call.begin < longest.end {
                violations.push(format!("{call} began during {longest}"));
            }
            if call.end > longest.end {
                longest = call;
            }
        }
    }
    violations
}

/// The first call of a record must not begin before the record before it was processed.
fn overtaking(calls: &[Call]) -> Vec<String> {
    let mut first_processed = HashMap::new();
    for call in processed(calls) {
        let end: &mut u128 = first_processed.entry(call.record).or_insert(call.end);
        *end = call.end.min(*end);
    }
    let mut violations = Vec::new();
    for calls in by_key(calls).into_values() {
        let mut begun = HashSet::new();
        for call in calls {
            let Record { key, sequence } = call.record;
            let Some(before) = sequence.checked_sub(1) else {
                continue;
            };
            let before = Record {
                key,
                sequence: before,
            };
            let waited = first_processed
                .get(&before)
                .is_some_and(|end| *end <= call.begin);
            if begun.insert(sequence) && !waited {
                violations.push(format!("{call} began before {before} was processed"));
            }
        }
    }
    violations
}

fn uncommitted(progress: &[Progress]) -> Vec<String> {
    let behind = progress.iter().filter(|at| at.committed != at.end);
    let told = behind.map(|at| {
        let (partition, committed, end) = (at.partition, at.committed, at.end);
        format!("partition {partition} is committed up to {committed} and ends at {end}")
    });
    told.collect()
}

fn repeated(calls: &[Call], killed: usize) -> Vec<String> {
    let (again, most) = (processed_again(calls), killed * REPEATED_BY_A_KILL);
    let too_many = (again > most).then(|| {
        format!("{again} records were processed again after {killed} kills, and {most} would do")
    });
    too_many.into_iter().collect()
}

/// Calls that processed a record which another had processed.
pub(crate) fn processed_again(calls: &[Call]) -> usize {
    let records: HashSet<_> = processed(calls).map(|call| call.record).collect();
    processed(calls).count() - records.len()
}

fn processed(calls: &[Call]) -> impl Iterator<Item = &Call> {
    calls
        .iter()
        .filter(|call| call.outcome == Outcome::Processed)
}

/// The calls of each key, in the order in which they began.
fn by_key(calls: &[Call]) -> BTreeMap<usize, Vec<&Call>> {
    let mut keys: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for call in calls {
        keys.entry(call.record.key).or_default().push(call);
    }
    for calls in keys.values_mut() {
        calls.sort_by_key(|call| call.begin);
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(sequence: usize, begin: u128, end: u128, outcome: Outcome) -> Call {
        Call {
            member: 1,
            record: Record { key: 0, sequence },
            attempt: 1,
            begin,
            end,
            outcome,
        }
    }

    #[test]
    fn a_record_that_was_only_begun_is_not_processed() {
        let calls = [
            call(0, 0, 1, Outcome::Processed),
            call(1, 1, 2, Outcome::Killed),
        ];
        assert_eq!(unprocessed(&[1], &calls).len(), 0);
        assert_eq!(unprocessed(&[2], &calls).len(), 1);
    }

    #[test]
    fn a_call_within_a_long_one_overlaps() {
        let calls = [
            call(0, 0, 10, Outcome::Processed),
            call(1, 1, 2, Outcome::Processed),
            call(2, 9, 12, Outcome::Processed),
            call(3, 12, 13, Outcome::Processed),
        ];
        assert_eq!(overlapping(&calls).len(), 2);
    }

    #[test]
    fn repeating_from_further_back_is_no_overtaking() {
        let mut calls = vec![
            call(0, 0, 1, Outcome::Processed),
            call(1, 1, 2, Outcome::Killed),
            call(0, 5, 6, Outcome::Processed),
            call(1, 6, 7, Outcome::Processed),
        ];
        assert_eq!(overtaking(&calls).len(), 0);
        calls.push(call(3, 8, 9, Outcome::Processed));
        assert_eq!(overtaking(&calls).len(), 1);
    }
}
