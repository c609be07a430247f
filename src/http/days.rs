//! Days and moments, as requests name them.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::answer::Refused;
use crate::site::Site;
use crate::site::day::start_of;

/// The day that a field names.
pub(super) fn day(name: &str, text: &str) -> Result<Date, Refused> {
    text.parse().map_err(|_| wrong(name, text, "it must be a date, such as 2026-01-31"))
}

/// The moment that a field names: itself, or a day of the site's, of which it is the beginning, or with
/// `days_later` that of a later one.
pub(super) fn moment(
    name: &str,
    text: &str,
    site: &Site,
    days_later: i64,
) -> Result<Timestamp, Refused> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let begins = |day: Date| start_of(day.checked_add(days_later.days()).ok()?, &site.timezone);
    day(name, text).ok().and_then(begins).ok_or_else(|| {
        let rule =
            "it must be a date, such as 2026-01-31, or a moment, such as 2026-01-31T12:00:00Z";
        wrong(name, text, rule)
    })
}

fn wrong(name: &str, text: &str, rule: &str) -> Refused {
    Refused::bad_request(format!("#/{name}: Invalid {name} \"{text}\": {rule}."))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::site::SiteId;

    #[test]
    fn a_day_is_the_sites_and_a_moment_is_everywhere_the_same() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let site = Site::new(SiteId(1), "a.test", berlin);
        let at = |text, days_later| moment("to", text, &site, days_later).ok().unwrap().to_string();
        assert_eq!(at("2026-01-31", 0), "2026-01-30T23:00:00Z");
        assert_eq!(at("2026-01-31", 1), "2026-01-31T23:00:00Z");
        assert_eq!(at("2026-01-31T12:00:00Z", 1), "2026-01-31T12:00:00Z");
        for text in ["", "yesterday", "2026-02-30", "2026-01-31T25:00:00Z"] {
            assert!(moment("to", text, &site, 0).is_err(), "{text}");
        }
        assert!(day("from", "2026-01-31").is_ok() && day("from", "31.01.2026").is_err());
    }
}
