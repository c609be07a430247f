//! What stretch of time a query is about, and its buckets.

use serde_json::{Value, json};

use super::{parse, site};
use crate::query::{Known, Query};
use crate::site::Site;
use crate::site::floor::Floor;

#[track_caller]
fn check_range(zone: &str, range: Value, expected: [&str; 2]) {
    let query = parse(zone, &json!({ "date_range": range })).unwrap();
    assert_eq!(query.period().to_wire(), expected, "{range}");
}

#[test]
fn every_form_of_date_range_comes_to_a_period_in_the_sites_time_zone() {
    let check = |range, from, to| check_range("Etc/UTC", range, [from, to]);
    check(json!("day"), "2024-05-15T00:00:00+00:00", "2024-05-15T23:59:59+00:00");
    check(json!("7d"), "2024-05-08T00:00:00+00:00", "2024-05-14T23:59:59+00:00");
    check(json!("28d"), "2024-04-17T00:00:00+00:00", "2024-05-14T23:59:59+00:00");
    check(json!("30d"), "2024-04-15T00:00:00+00:00", "2024-05-14T23:59:59+00:00");
    check(json!("91d"), "2024-02-14T00:00:00+00:00", "2024-05-14T23:59:59+00:00");
    check(json!("1d"), "2024-05-14T00:00:00+00:00", "2024-05-14T23:59:59+00:00");
    check(json!("24h"), "2024-05-14T12:34:56+00:00", "2024-05-15T12:34:56+00:00");
    check(json!("month"), "2024-05-01T00:00:00+00:00", "2024-05-31T23:59:59+00:00");
    check(json!("year"), "2024-01-01T00:00:00+00:00", "2024-12-31T23:59:59+00:00");
    check(json!("1mo"), "2024-05-01T00:00:00+00:00", "2024-05-31T23:59:59+00:00");
    check(json!("6mo"), "2023-12-01T00:00:00+00:00", "2024-05-31T23:59:59+00:00");
    check(json!("12mo"), "2023-06-01T00:00:00+00:00", "2024-05-31T23:59:59+00:00");
    check(json!("all"), "2023-02-03T00:00:00+00:00", "2024-05-15T23:59:59+00:00");
    check(
        json!(["2024-01-01", "2024-01-31"]),
        "2024-01-01T00:00:00+00:00",
        "2024-01-31T23:59:59+00:00",
    );
    check(
        json!(["2024-01-01T10:00:00+02:00", "2024-01-01T12:30:00Z"]),
        "2024-01-01T08:00:00+00:00",
        "2024-01-01T12:30:00+00:00",
    );
}

#[test]
fn days_begin_and_end_with_the_sites_clock() {
    let day = |day: &str| json!([day, day]);
    check_range(
        "Asia/Kathmandu",
        day("2024-05-01"),
        ["2024-05-01T00:00:00+05:45", "2024-05-01T23:59:59+05:45"],
    );
    check_range(
        "Europe/Berlin",
        day("2024-03-31"),
        ["2024-03-31T00:00:00+01:00", "2024-03-31T23:59:59+02:00"],
    );
    check_range(
        "Europe/Berlin",
        day("2024-10-27"),
        ["2024-10-27T00:00:00+02:00", "2024-10-27T23:59:59+01:00"],
    );
    // In São Paulo in 2018 summer time began at midnight: that day has no midnight.
    check_range(
        "America/Sao_Paulo",
        day("2018-11-04"),
        ["2018-11-04T01:00:00-02:00", "2018-11-04T23:59:59-02:00"],
    );
    // At 12:34 UTC it is tomorrow in Kiritimati.
    check_range(
        "Pacific/Kiritimati",
        json!("day"),
        ["2024-05-16T00:00:00+14:00", "2024-05-16T23:59:59+14:00"],
    );
}

#[test]
fn bare_time_is_the_interval_that_fits_the_period() {
    let check = |from: &str, to: &str, expected| {
        let query =
            parse("Europe/Berlin", &json!({ "date_range": [from, to], "dimensions": ["time"] }))
                .unwrap();
        assert_eq!(query.to_wire()["dimensions"], json!([expected]), "{from} to {to}");
        assert_eq!(query.to_wire()["order_by"], json!([[expected, "asc"], ["visitors", "desc"]]));
    };
    check("2024-05-01", "2024-05-01", "time:hour");
    check("2024-05-01", "2024-05-02", "time:hour");
    check("2024-10-26", "2024-10-27", "time:hour");
    check("2024-05-01", "2024-05-03", "time:day");
    check("2024-05-01", "2024-06-09", "time:day");
    check("2024-05-01", "2024-06-10", "time:week");
    check("2024-01-01", "2024-12-29", "time:week");
    check("2024-01-01", "2024-12-30", "time:month");
    // Two moments, both within, are as far apart as they are.
    check("2024-05-01T10:00:00+02:00", "2024-05-03T10:00:00+02:00", "time:hour");
    check("2024-05-01T10:00:00+02:00", "2024-05-03T10:00:01+02:00", "time:day");
    check("2024-05-01T00:00:00+02:00", "2024-06-10T00:00:00+02:00", "time:day");
}

#[test]
fn labels_cover_the_whole_period_and_leave_out_what_the_clock_leaves_out() {
    let labels = |range: Value, interval: &str| {
        let parts = json!({ "date_range": range, "dimensions": [interval] });
        let query = parse("Europe/Berlin", &parts).unwrap();
        query.interval().unwrap().labels(query.period())
    };
    assert_eq!(
        labels(json!(["2024-01-30", "2024-02-01"]), "time:day"),
        ["2024-01-30", "2024-01-31", "2024-02-01"]
    );
    assert_eq!(
        labels(json!(["2024-05-01", "2024-05-14"]), "time:week"),
        ["2024-05-01", "2024-05-06", "2024-05-13"]
    );
    assert_eq!(
        labels(json!(["2024-01-31", "2024-03-01"]), "time:month"),
        ["2024-01-01", "2024-02-01", "2024-03-01"]
    );
    let hours = labels(json!(["2024-03-31", "2024-03-31"]), "time:hour");
    assert_eq!(hours.len(), 23);
    assert_eq!(hours[1..3], ["2024-03-31 01:00:00", "2024-03-31 03:00:00"]);
    let hours = labels(json!(["2024-10-27", "2024-10-27"]), "time:hour");
    assert_eq!(hours.len(), 24, "the hour that comes twice is one bucket");
    let part = json!(["2024-05-01T10:59:30+02:00", "2024-05-01T12:00:00+02:00"]);
    assert_eq!(
        labels(part.clone(), "time:hour"),
        ["2024-05-01 10:00:00", "2024-05-01 11:00:00", "2024-05-01 12:00:00"]
    );
    assert_eq!(labels(part.clone(), "time:minute").len(), 62);
    let quarters = labels(part.clone(), "time:15min");
    assert_eq!(quarters.len(), 6);
    assert_eq!(quarters[..2], ["2024-05-01 10:45:00", "2024-05-01 11:00:00"]);
    let years = json!(["2023-02-28", "2024-05-01"]);
    assert_eq!(
        labels(years.clone(), "time:quarter"),
        ["2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01", "2024-01-01", "2024-04-01"]
    );
    assert_eq!(labels(years.clone(), "time:year"), ["2023-01-01", "2024-01-01"]);
    assert_eq!(labels(part, "time:hour_of_day"), [10, 11, 12]);
    let hours = labels(json!(["2024-03-31", "2024-03-31"]), "time:hour_of_day");
    assert_eq!(hours.len(), 23);
    assert_eq!(hours[..3], [0, 1, 3]);
    assert_eq!(labels(json!(["2024-03-31", "2024-04-01"]), "time:hour_of_day").len(), 24);
    // A Wednesday, and the days until Monday.
    assert_eq!(labels(json!(["2024-05-01", "2024-05-01"]), "time:day_of_week"), [3]);
    assert_eq!(labels(json!(["2024-05-01", "2024-05-06"]), "time:day_of_week"), [1, 3, 4, 5, 6, 7]);
    assert_eq!(labels(years, "time:day_of_week"), [1, 2, 3, 4, 5, 6, 7]);
}

#[track_caller]
fn check_compared(range: Value, comparisons: Value, expected: [&str; 2]) {
    let parts = json!({ "date_range": range, "include": { "comparisons": comparisons } });
    let query = parse("Europe/Berlin", &parts).unwrap();
    assert_eq!(query.compared().unwrap().period().to_wire(), expected, "{parts}");
    assert_eq!(query.to_wire()["include"], parts["include"]);
}

#[test]
fn a_period_is_compared_with_the_one_before_with_last_year_or_with_any_other() {
    let check = check_compared;
    let may = || json!(["2024-05-01", "2024-05-10"]);
    let previous = json!({ "mode": "previous_period" });
    check(may(), previous.clone(), ["2024-04-21T00:00:00+02:00", "2024-04-30T23:59:59+02:00"]);
    // Days are days, also those with a clock change between.
    let april = json!(["2024-04-01", "2024-04-01"]);
    check(april, previous.clone(), ["2024-03-31T00:00:00+01:00", "2024-03-31T23:59:59+02:00"]);
    check(json!("24h"), previous, ["2024-05-13T14:34:55+02:00", "2024-05-14T14:34:55+02:00"]);
    let year = json!({ "mode": "year_over_year" });
    check(may(), year.clone(), ["2023-05-01T00:00:00+02:00", "2023-05-10T23:59:59+02:00"]);
    let leap = json!(["2024-02-01", "2024-02-29"]);
    check(leap, year.clone(), ["2023-02-01T00:00:00+01:00", "2023-02-28T23:59:59+01:00"]);
    for (dates, first, last) in [
        (["2024-02-28", "2024-02-28"], "2023-02-28", "2023-02-28"),
        (["2024-02-01", "2024-02-28"], "2023-02-01", "2023-02-28"),
        (["2024-02-29", "2024-02-29"], "2023-02-28", "2023-02-28"),
        (["2025-02-28", "2025-02-28"], "2024-02-28", "2024-02-28"),
        (["2025-02-28", "2025-03-01"], "2024-02-28", "2024-03-01"),
    ] {
        let ends = [format!("{first}T00:00:00+01:00"), format!("{last}T23:59:59+01:00")];
        check(json!(dates), year.clone(), [ends[0].as_str(), ends[1].as_str()]);
    }
    let custom = json!({ "mode": "custom", "date_range": ["2024-01-01", "2024-01-02"] });
    check(may(), custom, ["2024-01-01T00:00:00+01:00", "2024-01-02T23:59:59+01:00"]);
}

#[test]
fn what_there_is_of_a_period_that_goes_on_is_compared_with_as_much_of_the_other() {
    let check = |range: Value, mode: &str, now: &str, expected: Option<[&str; 2]>| {
        let comparisons = json!({ "mode": mode });
        let parts = json!({ "date_range": range, "include": { "comparisons": comparisons } });
        let query = parse("Europe/Berlin", &parts).unwrap();
        let so_far = query.compared_so_far(now.parse().unwrap());
        let expected = expected.map(|ends| json!({ "mode": "custom", "date_range": ends }));
        assert_eq!(so_far, expected, "{parts}");
        // It is a comparison that can be asked for.
        if let Some(custom) = so_far {
            let parts = json!({ "date_range": range, "include": { "comparisons": custom } });
            let period = parse("Europe/Berlin", &parts).unwrap().compared().unwrap();
            assert_eq!(json!(period.period().to_wire()), custom["date_range"]);
        }
    };
    let now = "2024-05-15T12:34:56Z";
    let yesterday = ["2024-05-14T00:00:00+02:00", "2024-05-14T14:34:56+02:00"];
    check(json!("day"), "previous_period", now, Some(yesterday));
    // The 31 days of May, of which 14 are over; the clock of the winter is another.
    let april = ["2024-03-31T00:00:00+01:00", "2024-04-14T14:34:56+02:00"];
    check(json!("month"), "previous_period", now, Some(april));
    let year_before = ["2023-05-01T00:00:00+02:00", "2023-05-15T14:34:56+02:00"];
    check(json!("month"), "year_over_year", now, Some(year_before));
    // The same dates, though a leap year has a day more before them.
    let year = ["2023-01-01T00:00:00+01:00", "2023-05-15T14:34:56+02:00"];
    check(json!("year"), "year_over_year", now, Some(year));
    for range in [json!("7d"), json!("24h"), json!(["2024-05-01", "2024-05-14"])] {
        check(range, "previous_period", now, None);
    }
    check(json!("month"), "previous_period", "2024-04-30T12:00:00Z", None);
}

#[test]
fn whoever_is_told_no_small_numbers_compares_the_days_that_are_over_with_as_many() {
    let site = site("Europe/Berlin");
    let so_far = |range: &str, now: &str| {
        let now = now.parse().unwrap();
        let query = json!({
            "site_id": "example.com", "metrics": ["visitors"], "date_range": range,
            "include": { "comparisons": { "mode": "previous_period" } },
        });
        let known = Known { floor: Floor::of(5), ..Known::new(&site, now) };
        let query = Query::parse(&query, &known).unwrap();
        let days = query.compared_so_far(now).map(|custom| custom["date_range"].clone());
        (days, query.days_over().is_some())
    };
    let now = "2024-05-15T12:34:56Z";
    let april = json!(["2024-03-31T00:00:00+01:00", "2024-04-13T23:59:59+02:00"]);
    assert_eq!(so_far("month", now), (Some(april), true));
    assert_eq!(so_far("7d", now), (None, true));
    // Of today, and of a month on its first day, nothing is told that could be compared.
    assert_eq!(so_far("day", now), (None, false));
    assert_eq!(so_far("month", "2024-05-01T12:00:00Z"), (None, false));
}

#[test]
fn days_without_a_midnight_are_compared_with_days() {
    // On 26 April 2024 the clock in Cairo went from 00:00 to 01:00.
    let check = |dates: [&str; 2], mode: &str, expected: [&str; 2]| {
        let parts = json!({ "date_range": dates, "include": { "comparisons": { "mode": mode } } });
        let query = parse("Africa/Cairo", &parts).unwrap();
        assert_eq!(query.compared().unwrap().period().to_wire(), expected, "{parts}");
    };
    let week = ["2024-04-26", "2024-05-02"];
    let before = ["2024-04-19T00:00:00+02:00", "2024-04-25T23:59:59+02:00"];
    check(week, "previous_period", before);
    let year = ["2023-04-26T00:00:00+02:00", "2023-05-02T23:59:59+03:00"];
    check(week, "year_over_year", year);
    let day = ["2024-04-25T00:00:00+02:00", "2024-04-25T23:59:59+02:00"];
    check(["2024-04-26", "2024-04-26"], "previous_period", day);
    let without = ["2024-04-26T01:00:00+03:00", "2024-04-26T23:59:59+03:00"];
    check(["2024-04-27", "2024-04-27"], "previous_period", without);
}

/// What each bucket is compared with, in the order of the buckets; empty without one.
fn compared_with(zone: &str, range: [&str; 2], interval: &str, mode: &str) -> Vec<[String; 2]> {
    let comparisons = json!({ "mode": mode });
    let parts = json!({
        "date_range": range, "dimensions": [interval], "include": { "comparisons": comparisons },
    });
    let query = parse(zone, &parts).unwrap();
    let (interval, period) = (query.interval().unwrap(), query.period());
    let counterparts = interval.counterparts(period, query.compared().unwrap().period());
    let text = |label: Option<&Value>| label.map_or("", |label| label.as_str().unwrap()).to_owned();
    let labels = interval.labels(period);
    let pair = |label: &Value| [text(Some(label)), text(counterparts.get(&label.to_string()))];
    labels.iter().map(pair).collect()
}

#[test]
fn hours_are_compared_with_those_at_which_the_clock_shows_the_same() {
    let hours = |zone, day, mode| compared_with(zone, [day, day], "time:hour", mode);
    let is_same_hour = |[own, other]: &[String; 2]| own[10..] == other[10..];
    // The day before had no hour from 0 in Havana, and this one has none in Cairo.
    let havana = hours("America/Havana", "2026-03-09", "previous_period");
    assert_eq!(havana[0], ["2026-03-09 00:00:00", ""]);
    assert_eq!(havana[1], ["2026-03-09 01:00:00", "2026-03-08 01:00:00"]);
    assert!(havana.len() == 24 && havana[1..].iter().all(is_same_hour), "{havana:?}");
    let cairo = hours("Africa/Cairo", "2026-04-24", "previous_period");
    assert_eq!(cairo[0], ["2026-04-24 01:00:00", "2026-04-23 01:00:00"]);
    assert!(cairo.len() == 23 && cairo.iter().all(is_same_hour), "{cairo:?}");
    // The hour that is left out at 2 moves none of those after it, on either side.
    for (day, mode) in [("2024-03-31", "previous_period"), ("2024-10-27", "previous_period")] {
        let berlin = hours("Europe/Berlin", day, mode);
        assert!(berlin.iter().all(is_same_hour), "{berlin:?}");
    }
    let after = hours("Europe/Berlin", "2024-04-01", "previous_period");
    assert_eq!(after[2], ["2024-04-01 02:00:00", ""]);
    assert!(after.iter().filter(|[_, other]| !other.is_empty()).all(is_same_hour), "{after:?}");
    // A period that begins within an hour has that hour at its first place.
    let part = ["2024-05-01T10:25:00+02:00", "2024-05-01T12:10:00+02:00"];
    let quarters = compared_with("Europe/Berlin", part, "time:15min", "previous_period");
    assert_eq!(quarters[0], ["2024-05-01 10:15:00", "2024-05-01 08:30:00"]);
    assert_eq!(quarters[1], ["2024-05-01 10:30:00", "2024-05-01 08:45:00"]);
}

#[test]
fn a_bucket_without_one_at_its_place_is_compared_with_none() {
    // Nine days from a Sunday are in three weeks, and the nine before them in two.
    let weeks =
        compared_with("Etc/UTC", ["2026-11-01", "2026-11-09"], "time:week", "previous_period");
    let expected = [["2026-11-01", "2026-10-23"], ["2026-11-02", "2026-10-26"], ["2026-11-09", ""]];
    assert_eq!(weeks, expected);
    let days = ["2024-02-28", "2024-03-01"];
    let leap = compared_with("Etc/UTC", days, "time:day", "year_over_year");
    let expected = [["2024-02-28", "2023-02-28"], ["2024-02-29", "2023-03-01"], ["2024-03-01", ""]];
    assert_eq!(leap, expected);
}

#[test]
fn matching_weekdays_moves_the_other_period_to_begin_on_the_same_day_of_the_week() {
    // 1 May 2024 was a Wednesday; 21 April a Sunday, 1 May 2023 a Monday.
    let may = || json!(["2024-05-01", "2024-05-10"]);
    let previous = json!({ "mode": "previous_period", "match_day_of_week": true });
    check_compared(
        may(),
        previous.clone(),
        ["2024-04-24T00:00:00+02:00", "2024-05-03T23:59:59+02:00"],
    );
    let year = json!({ "mode": "year_over_year", "match_day_of_week": true });
    check_compared(may(), year, ["2023-05-03T00:00:00+02:00", "2023-05-12T23:59:59+02:00"]);
    // The day before would, moved forward, be the day itself.
    let day = json!(["2024-05-01", "2024-05-01"]);
    check_compared(day, previous, ["2024-04-24T00:00:00+02:00", "2024-04-24T23:59:59+02:00"]);
}

#[test]
fn a_query_cannot_reach_behind_what_the_site_keeps() {
    let site = Site { retention_days: Some(10), ..site("Europe/Berlin") };
    let now = "2024-05-15T12:00:00Z".parse().unwrap();
    let query = json!({ "site_id": "example.com", "metrics": ["visitors"], "date_range": "30d" });
    let query = Query::parse(&query, &Known::new(&site, now)).unwrap();
    assert_eq!(query.kept_from, Some("2024-05-06T00:00:00+02:00".parse().unwrap()));
}

#[test]
fn the_first_and_the_last_day_that_a_report_can_be_about_are_understood_as_they_are_echoed() {
    for zone in ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Etc/UTC"] {
        for day in ["1970-01-02", "2105-12-31"] {
            let query = parse(zone, &json!({ "date_range": [day, day] })).unwrap();
            let echoed = query.period().to_wire();
            let again = parse(zone, &json!({ "date_range": echoed })).unwrap();
            assert_eq!(again.period(), query.period(), "{day} in {zone}");
        }
    }
    for day in ["1970-01-01", "2106-01-01"] {
        assert!(parse("Etc/UTC", &json!({ "date_range": [day, day] })).is_err(), "{day}");
    }
}
