//! Whether the clock may be believed when it says that something has come to its end.
//!
//! What is removed does not come back, and a clock that is ahead says of everything that its time is over. So two others are
//! asked: ClickHouse's, which is another one where ClickHouse is on another machine; and what the same clock showed when the
//! collector ran last, which is written down, for most clocks that are wrong are so from the start of their machine on.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::whole_file;

/// The most that the clocks of the collector and of ClickHouse may differ.
const DIFFERENCE_MAX: SignedDuration = SignedDuration::from_hours(1);
/// A collector that was away for longer may have come back with a wrong clock.
const AWAY_MAX: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How long it has to run until that clock is believed all the same: somebody can mend it meanwhile.
const PROBATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Why the clock is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    /// ClickHouse has another time.
    #[error(
        "the clocks of the collector and of ClickHouse differ by {} minutes: set the one that is wrong",
        .0.as_secs().unsigned_abs() / 60
    )]
    Differs(SignedDuration),
    /// The collector ran last long ago, if its clock is right.
    #[error(
        "the clock stands {} days beyond the last time that this collector ran: set it if it is wrong. If it is right, wait for a \
         day, or remove the file `clock` from the data directory",
        .0.as_hours() / 24
    )]
    Leapt(SignedDuration),
}

/// What is known of the clock.
pub(super) struct Trust {
    /// What it showed when it was believed last.
    path: PathBuf,
    /// Since when this process has known that it leapt.
    leapt_at: Option<Instant>,
}

impl Trust {
    pub(super) fn of(data_dir: &Path) -> Self {
        Self { path: data_dir.join("clock"), leapt_at: None }
    }

    /// Why `now` is not to be believed, if it is not. `theirs` is ClickHouse's, `at` the moment by a clock that nobody sets.
    pub(super) fn doubt(
        &mut self,
        now: Timestamp,
        theirs: Timestamp,
        at: Instant,
    ) -> Option<Doubt> {
        let difference = now.duration_since(theirs);
        if difference.abs() > DIFFERENCE_MAX {
            return Some(Doubt::Differs(difference));
        }
        let away = self.last().map_or(SignedDuration::ZERO, |last| now.duration_since(last));
        if away <= AWAY_MAX {
            self.leapt_at = None;
        } else if at.duration_since(*self.leapt_at.get_or_insert(at)) < PROBATION {
            return Some(Doubt::Leapt(away));
        }
        if let Err(error) = self.note(now) {
            tracing::warn!(%error, path = %self.path.display(), "the time of day is not written down");
        }
        None
    }

    /// What cannot be read was never written, or removed by somebody who knows that the clock is right.
    fn last(&self) -> Option<Timestamp> {
        std::fs::read_to_string(&self.path).ok()?.trim().parse().ok()
    }

    fn note(&self, now: Timestamp) -> io::Result<()> {
        whole_file::replace(&self.path, format!("{now:.0}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn at(moment: &str) -> Timestamp {
        moment.parse().unwrap()
    }

    #[test]
    fn clocks_that_differ_are_doubted_and_leave_no_trace() {
        let (directory, begun) = (tempfile::tempdir().unwrap(), Instant::now());
        let mut trust = Trust::of(directory.path());
        let theirs = at("2026-03-01T12:00:00Z");
        for wrong in ["2026-05-01T12:00:00Z", "2026-03-01T13:00:01Z", "2026-03-01T10:59:59Z"] {
            let doubt = trust.doubt(at(wrong), theirs, begun);
            assert!(matches!(doubt, Some(Doubt::Differs(_))), "{wrong}: {doubt:?}");
        }
        assert_eq!(trust.last(), None);
        assert_eq!(trust.doubt(at("2026-03-01T12:59:59Z"), theirs, begun), None);
        assert_eq!(trust.last(), Some(at("2026-03-01T12:59:59Z")));
    }

    #[test]
    fn a_clock_that_leapt_is_believed_after_a_day_of_running_and_not_after_restarts() {
        let (directory, begun) = (tempfile::tempdir().unwrap(), Instant::now());
        let alone = |trust: &mut Trust, moment: &str, after: Duration| {
            trust.doubt(at(moment), at(moment), begun + after)
        };
        let mut trust = Trust::of(directory.path());
        assert_eq!(alone(&mut trust, "2026-03-01T12:00:00Z", Duration::ZERO), None);
        // Off over a long weekend.
        let mut trust = Trust::of(directory.path());
        assert_eq!(alone(&mut trust, "2026-03-04T12:00:00Z", Duration::ZERO), None);
        for _ in 0..3 {
            let mut trust = Trust::of(directory.path());
            let doubt = alone(&mut trust, "2026-09-01T12:00:00Z", Duration::ZERO);
            assert!(matches!(doubt, Some(Doubt::Leapt(_))), "{doubt:?}");
            let doubt = alone(&mut trust, "2026-09-02T11:59:00Z", DAY - Duration::from_secs(60));
            assert!(matches!(doubt, Some(Doubt::Leapt(_))), "{doubt:?}");
        }
        // Set right meanwhile, and wrong again: the day begins anew.
        let mut trust = Trust::of(directory.path());
        assert!(alone(&mut trust, "2026-09-01T12:00:00Z", Duration::ZERO).is_some());
        assert_eq!(alone(&mut trust, "2026-03-05T12:00:00Z", DAY / 2), None);
        assert!(alone(&mut trust, "2026-09-01T12:00:00Z", DAY).is_some());
        assert!(
            alone(&mut trust, "2026-09-02T11:00:00Z", DAY * 2 - Duration::from_secs(1)).is_some()
        );
        assert_eq!(alone(&mut trust, "2026-09-02T12:00:00Z", DAY * 2), None);
        assert_eq!(trust.last(), Some(at("2026-09-02T12:00:00Z")));
    }

    #[test]
    fn whoever_removes_the_file_says_that_the_clock_is_right() {
        let (directory, begun) = (tempfile::tempdir().unwrap(), Instant::now());
        let mut trust = Trust::of(directory.path());
        let (then, now) = (at("2026-03-01T12:00:00Z"), at("2026-09-01T12:00:00Z"));
        assert_eq!(trust.doubt(then, then, begun), None);
        assert!(trust.doubt(now, now, begun).is_some());
        std::fs::remove_file(directory.path().join("clock")).unwrap();
        assert_eq!(trust.doubt(now, now, begun), None);
    }
}
