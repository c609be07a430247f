//! When a day of a site begins and ends: days are those of its time zone's calendar.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// The first moment of a day in a time zone; `None` at the ends of the calendar, which are millennia away.
///
/// Where a change of the clock leaves midnight out, it is the moment of that change, from which on the clock shows the day; where
/// there are two midnights, it is the earlier one.
pub fn start_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(day.to_datetime(Time::midnight())).ok()
}

/// The moment at which a day in a time zone is over: the first one of the next day. `None` at the ends of the calendar.
pub fn end_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    start_of(day.tomorrow().ok()?, zone)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn check(zone: &str, day: Date, [begins, ends]: [&str; 2]) {
        let zone = TimeZone::get(zone).unwrap();
        let told =
            [start_of(day, &zone), end_of(day, &zone)].map(|moment| moment.unwrap().to_string());
        assert_eq!(told, [begins, ends]);
    }

    #[test]
    fn a_day_is_as_long_as_its_clock_makes_it() {
        check("Europe/Berlin", date(2024, 3, 31), ["2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"]);
        check(
            "Europe/Berlin",
            date(2024, 10, 27),
            ["2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z"],
        );
    }

    #[test]
    fn a_day_without_a_midnight_begins_when_the_clock_is_changed() {
        check(
            "America/Sao_Paulo",
            date(2018, 11, 3),
            ["2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"],
        );
        check(
            "America/Sao_Paulo",
            date(2018, 11, 4),
            ["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"],
        );
    }

    #[test]
    fn a_day_with_two_midnights_begins_at_the_earlier_one() {
        check(
            "America/Havana",
            date(2024, 11, 3),
            ["2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"],
        );
    }

    #[test]
    fn the_calendar_has_ends() {
        assert_eq!(end_of(Date::MAX, &TimeZone::UTC), None);
        assert_eq!(start_of(Date::MIN, &TimeZone::get("Pacific/Kiritimati").unwrap()), None);
    }
}
