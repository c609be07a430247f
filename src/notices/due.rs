//! Which days a report is about.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use crate::config::Every;

/// How long after midnight the day before is reported, in minutes: the last beacons may be under way.
const GRACE_MINUTES: i64 = 10;

/// The first and the last day of the last day, week or month that is over when the site's clock shows `now`.
pub(super) fn last_whole(every: Every, now: DateTime) -> (Date, Date) {
    let today = now.saturating_sub(GRACE_MINUTES.minutes()).date();
    let day_before = |day: Date| day.saturating_sub(1.day());
    match every {
        Every::Day => (day_before(today), day_before(today)),
        Every::Week => {
            let since_monday = i64::from(today.weekday().to_monday_zero_offset());
            let monday = today.saturating_sub(since_monday.days());
            (monday.saturating_sub(7.days()), day_before(monday))
        }
        Every::Month => {
            let last = day_before(today.first_of_month());
            (last.first_of_month(), last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_about_whole_days_that_are_over() {
        for (every, now, first, last) in [
            (Every::Day, "2026-11-25T00:10", "2026-11-24", "2026-11-24"),
            (Every::Day, "2026-11-25T00:09", "2026-11-23", "2026-11-23"),
            (Every::Day, "2026-03-01T12:00", "2026-02-28", "2026-02-28"),
            // A Wednesday, a Sunday, and a Monday.
            (Every::Week, "2026-11-25T12:00", "2026-11-16", "2026-11-22"),
            (Every::Week, "2026-11-29T23:59", "2026-11-16", "2026-11-22"),
            (Every::Week, "2026-11-30T00:10", "2026-11-23", "2026-11-29"),
            (Every::Month, "2026-03-01T00:09", "2026-01-01", "2026-01-31"),
            (Every::Month, "2026-03-01T00:10", "2026-02-01", "2026-02-28"),
            (Every::Month, "2026-01-15T08:00", "2025-12-01", "2025-12-31"),
        ] {
            let expected: (Date, Date) = (first.parse().unwrap(), last.parse().unwrap());
            assert_eq!(last_whole(every, now.parse().unwrap()), expected, "{every:?} {now}");
        }
    }
}
