//! When a part that died is started again, and when it is given up.

use std::time::Duration;

/// The rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackOff {
    /// Before the first new start; each further one waits twice as long.
    pub(super) first: Duration,
    pub(super) longest: Duration,
    /// A life that lasts this long was a good one: the next death counts as the first.
    pub(super) good_life: Duration,
    /// How many lives in a row may be short.
    pub(super) short_lives: u32,
}

impl Default for BackOff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            good_life: Duration::from_secs(10),
            short_lives: 5,
        }
    }
}

/// The lives of one part so far.
#[derive(Debug, Default)]
pub(super) struct Lives {
    short: u32,
}

impl Lives {
    /// How long to wait after a life of `lasted`; `None` when the part is given up.
    pub(super) fn next_start(&mut self, lasted: Duration, rules: &BackOff) -> Option<Duration> {
        if lasted >= rules.good_life {
            self.short = 0;
        }
        self.short += 1;
        if self.short > rules.short_lives {
            return None;
        }
        let pause = rules.first * 2_u32.saturating_pow(self.short - 1);
        Some(pause.min(rules.longest))
    }

    /// Somebody started it: what was before no longer counts.
    pub(super) fn forget(&mut self) {
        self.short = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pauses(lives: &[Duration]) -> Vec<Option<u64>> {
        let mut so_far = Lives::default();
        let rules = BackOff::default();
        let pauses = lives.iter().map(|life| so_far.next_start(*life, &rules));
        pauses.map(|pause| Some(pause?.as_secs())).collect()
    }

    #[test]
    fn a_part_that_dies_at_once_waits_twice_as_long_each_time_and_is_then_given_up() {
        let expected = [Some(1), Some(2), Some(4), Some(8), Some(16), None];
        assert_eq!(pauses(&[SECOND; 6]), expected);
    }

    #[test]
    fn a_good_life_makes_the_next_death_the_first() {
        let minute = 60 * SECOND;
        assert_eq!(
            pauses(&[SECOND, SECOND, minute, SECOND]),
            [Some(1), Some(2), Some(1), Some(2)]
        );
    }

    #[test]
    fn no_pause_is_longer_than_the_longest() {
        let patient = BackOff {
            short_lives: 9,
            ..BackOff::default()
        };
        let mut lives = Lives::default();
        let pauses: Vec<_> = (0..9)
            .filter_map(|_| lives.next_start(SECOND, &patient))
            .collect();
        assert_eq!(pauses.last(), Some(&(30 * SECOND)));
    }
}
