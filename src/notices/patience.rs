//! When something that failed is tried again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The first pause; each is twice as long as the one before.
const FIRST: SignedDuration = SignedDuration::from_mins(1);
/// The longest.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

/// The attempts at one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Patience {
    /// How many have failed.
    pub(super) failures: u32,
    /// When the last one did.
    last: Option<Timestamp>,
}

impl Patience {
    /// Whether it may be tried. A clock that was set back does not make it wait.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.last.is_none_or(|last| now.duration_since(last).abs() >= self.pause())
    }

    /// It was tried in vain.
    pub(super) fn begin(&mut self, now: Timestamp) {
        (self.failures, self.last) = (self.failures.saturating_add(1), Some(now));
    }

    fn pause(&self) -> SignedDuration {
        let doublings = self.failures.saturating_sub(1).min(16);
        FIRST.saturating_mul(1 << doublings).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_twice_as_long_up_to_six_hours() {
        let begin = Timestamp::UNIX_EPOCH;
        let mut patience = Patience::default();
        assert!(patience.is_over(begin));
        for minutes in [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360] {
            patience.begin(begin);
            let after = |seconds: i64| begin + SignedDuration::from_secs(seconds);
            assert!(!patience.is_over(after(minutes * 60 - 1)), "{minutes}");
            assert!(patience.is_over(after(minutes * 60)), "{minutes}");
            assert!(patience.is_over(after(-minutes * 60)), "{minutes}");
        }
    }
}
