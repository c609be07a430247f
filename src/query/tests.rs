//! What a query may say, and what it is told when it may not.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::*;

fn site(zone: &str) -> Site {
    Site {
        id: SiteId(7),
        domain: "example.com".into(),
        timezone: TimeZone::get(zone).unwrap(),
        retention_days: None,
        public: false,
    }
}

/// Parses at 2024-05-15T12:34:56Z, for a site whose first event was on 2023-02-03.
fn parse(zone: &str, parts: &Value) -> Result<Query, QueryError> {
    let mut query =
        json!({ "site_id": "example.com", "metrics": ["visitors"], "date_range": "day" });
    for (key, value) in parts.as_object().unwrap() {
        match value {
            Value::Null => query.as_object_mut().unwrap().remove(key),
            value => query.as_object_mut().unwrap().insert(key.clone(), value.clone()),
        };
    }
    let first_event = Some("2023-02-03T10:00:00Z".parse::<Timestamp>().unwrap());
    let now = "2024-05-15T12:34:56.789Z".parse().unwrap();
    Query::parse(&query, &Known { first_event, ..Known::new(&site(zone), now) })
}

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
    assert_eq!(labels(part, "time:minute").len(), 62);
}

#[track_caller]
fn check_error(parts: Value, expected: &str) {
    let error = parse("Etc/UTC", &parts).expect_err("it was accepted").to_string();
    assert_eq!(error, expected);
}

#[test]
fn problems_of_form_name_the_place_the_value_and_the_rule() {
    check_error(
        json!({ "metrics": ["visitors", "baa"] }),
        r##"#/metrics/1: Invalid metric "baa""##,
    );
    check_error(
        json!({ "metrics": [] }),
        "#/metrics: Invalid metrics []: at least one metric is required.",
    );
    check_error(
        json!({ "metrics": "visitors" }),
        r##"#/metrics: Invalid metrics "visitors": a list."##,
    );
    check_error(json!({ "metrics": null }), "#/metrics: Missing: metrics is required.");
    check_error(json!({ "site_id": null }), "#/site_id: Missing: site_id is required.");
    check_error(json!({ "site_id": 1 }), "#/site_id: Invalid site_id 1: a string.");
    check_error(json!({ "date_range": null }), "#/date_range: Missing: date_range is required.");
    check_error(
        json!({ "metrics": ["visitors", "visits", "visitors"] }),
        r##"#/metrics/2: Invalid metrics: "visitors" is there twice."##,
    );
    check_error(
        json!({ "dimensions": ["visit:shoe"] }),
        r##"#/dimensions/0: Invalid dimension "visit:shoe""##,
    );
    check_error(
        json!({ "dimensions": ["event:props:"] }),
        r##"#/dimensions/0: Invalid dimension "event:props:""##,
    );
    check_error(
        json!({ "a/b": 1 }),
        r##"#/a~1b: Unknown key "a/b": a query has the keys site_id, metrics, date_range, dimensions, filters, order_by, include, pagination."##,
    );
    check_error(
        json!({ "include": { "foo": true } }),
        r##"#/include/foo: Unknown key "foo": include has the keys imports, time_labels, total_rows, comparisons."##,
    );
}

#[test]
fn a_wrong_date_range_is_refused() {
    let forms = period::FORMS;
    for range in [
        json!("baa"),
        json!("0d"),
        json!("5001d"),
        json!("101mo"),
        json!("+7d"),
        json!("d"),
        json!(7),
        json!([]),
    ] {
        check_error(
            json!({ "date_range": range }),
            &format!("#/date_range: Invalid date_range {range}: {forms}."),
        );
    }
    let rule = r#"it is written "2024-01-31", or "2024-01-31T13:00:00+01:00" with the offset."#;
    for date in ["2024-02-30", "2024-1-31", "2024-01-31T13:00:00", "yesterday", ""] {
        let expected = format!("#/date_range/1: Invalid date {date:?}: {rule}");
        check_error(json!({ "date_range": ["2024-01-01", date] }), &expected);
    }
    check_error(
        json!({ "date_range": ["2024-01-02", "2024-01-01"] }),
        r##"#/date_range: Invalid date_range ["2024-01-02","2024-01-01"]: it ends before it begins."##,
    );
    check_error(
        json!({ "date_range": ["2024-01-02", "2024-01-03T00:00:00Z"] }),
        r##"#/date_range: Invalid date_range ["2024-01-02","2024-01-03T00:00:00Z"]: both ends are dates, or both are date-times with offset."##,
    );
    check_error(
        json!({ "date_range": ["0001-01-01", "2024-01-01"] }),
        r##"#/date_range/0: Invalid date "0001-01-01": it must lie between 1970-01-02 and 2105-12-31."##,
    );
}

#[test]
fn a_wrong_filter_is_refused() {
    let check =
        |filter: Value, expected: &str| check_error(json!({ "filters": [filter] }), expected);
    check(
        json!("x"),
        r##"#/filters/0: Invalid filter "x": it is a list such as ["is", "visit:source", ["Google"]]."##,
    );
    check(
        json!([]),
        r##"#/filters/0: Invalid filter []: it is a list such as ["is", "visit:source", ["Google"]]."##,
    );
    check(
        json!(["is", "visit:shoe", ["x"]]),
        r##"#/filters/0/1: Invalid dimension "visit:shoe" in a filter."##,
    );
    check(
        json!(["is", "time:day", ["x"]]),
        r##"#/filters/0/1: Invalid dimension "time:day" in a filter."##,
    );
    let values = "a list of strings, or of whole numbers, at least one.";
    for wrong in [json!([]), json!("x"), json!([1, "x"]), json!([null]), json!([1.5])] {
        check(
            json!(["is", "visit:source", wrong]),
            &format!("#/filters/0/2: Invalid values {wrong}: {values}"),
        );
    }
    check(
        json!(["is", "visit:country", ["DE", "Germany"]]),
        r##"#/filters/0/2/1: Invalid country "Germany": two letters, as in "DE"."##,
    );
    check(
        json!(["matches", "visit:source", ["x"], { "case_sensitive": false }]),
        r##"#/filters/0/3: Invalid modifiers {"case_sensitive":false}: patterns take none; (?i) in a pattern ignores case."##,
    );
    check(
        json!(["is", "visit:source", ["x"], { "case_sensitive": 1 }]),
        "#/filters/0/3/case_sensitive: Invalid case_sensitive 1: true or false.",
    );
    check(
        json!(["or", [["is", "event:hostname", ["x"]]]]),
        r##"#/filters/0/1/0/1: Invalid filter on "event:hostname": it must stand at the top level of the filters."##,
    );
    check(
        json!(["has_done", ["is", "visit:source", ["x"]]]),
        r##"#/filters/0/1/1: Invalid filter on "visit:source": only event dimensions can be inside has_done."##,
    );
    check(
        json!(["has_done", ["has_not_done", ["is", "event:name", ["x"]]]]),
        r##"#/filters/0/1: Invalid filter ["has_not_done",["is","event:name",["x"]]]: has_not_done cannot be inside another."##,
    );
    check(
        json!(["and", []]),
        r##"#/filters/0: Invalid filter ["and",[]]: "and" takes one list of at least one filter."##,
    );
    check(json!(["not"]), r##"#/filters/0: Invalid filter ["not"]: "not" takes one filter."##);
}

#[test]
fn combinations_without_meaning_are_refused() {
    check_error(
        json!({ "metrics": ["visitors", "bounce_rate"], "dimensions": ["event:name"] }),
        r##"#/metrics/1: Invalid metric "bounce_rate": a metric of visits cannot be broken down by the event dimension "event:name"."##,
    );
    check_error(
        json!({ "metrics": ["visit_duration"], "dimensions": ["event:page", "event:hostname"] }),
        r##"#/metrics/0: Invalid metric "visit_duration": a metric of visits cannot be broken down by the event dimension "event:page"."##,
    );
    check_error(
        json!({ "metrics": ["pageviews"], "dimensions": ["visit:exit_page"] }),
        r##"#/metrics/0: Invalid metric "pageviews": a metric of events cannot be broken down by the visit dimension "visit:exit_page"."##,
    );
    check_error(
        json!({ "metrics": ["views_per_visit"], "dimensions": ["visit:source"] }),
        r##"#/metrics/0: Invalid metric "views_per_visit": it cannot be broken down by dimensions."##,
    );
    check_error(
        json!({ "metrics": ["views_per_visit"], "filters": [["not", ["is", "event:page", ["/"]]]] }),
        r##"#/metrics/0: Invalid metric "views_per_visit": it cannot be combined with a filter on event:page."##,
    );
    check_error(
        json!({ "include": { "time_labels": true } }),
        "#/include/time_labels: Invalid include.time_labels true: it needs a time dimension.",
    );
    check_error(
        json!({ "dimensions": ["time", "time:day"] }),
        r##"#/dimensions/1: Invalid dimension "time:day": a query has one time dimension at most."##,
    );
    parse("Etc/UTC", &json!({ "metrics": ["bounce_rate", "visitors"], "dimensions": ["event:page", "time:day"] })).unwrap();
}

#[test]
fn order_and_pagination_have_their_limits() {
    check_error(
        json!({ "order_by": [["visits", "desc"]] }),
        r##"#/order_by/0/0: Invalid order_by "visits": it is neither a metric nor a dimension of this query."##,
    );
    check_error(
        json!({ "order_by": [["visitors", "down"]] }),
        r##"#/order_by/0/1: Invalid direction "down": "asc" or "desc"."##,
    );
    for limit in [json!(0), json!(10_001), json!("5"), json!(1.5), json!(-1)] {
        let expected =
            format!("#/pagination/limit: Invalid limit {limit}: a whole number from 1 to 10000.");
        check_error(json!({ "pagination": { "limit": limit } }), &expected);
    }
    check_error(
        json!({ "pagination": { "offset": -1 } }),
        "#/pagination/offset: Invalid offset -1: a whole number from 0.",
    );
}

#[test]
fn all_the_problems_are_told_at_once_a_line_each() {
    check_error(
        json!({ "metrics": ["baa"], "date_range": ["x", "y"], "pagination": { "limit": 0 } }),
        r##"#/metrics/0: Invalid metric "baa"
#/date_range/0: Invalid date "x": it is written "2024-01-31", or "2024-01-31T13:00:00+01:00" with the offset.
#/date_range/1: Invalid date "y": it is written "2024-01-31", or "2024-01-31T13:00:00+01:00" with the offset.
#/pagination/limit: Invalid limit 0: a whole number from 1 to 10000."##,
    );
}

#[test]
fn a_query_as_it_is_echoed_is_the_same_query() {
    for range in [
        json!("day"),
        json!("24h"),
        json!("12mo"),
        json!("all"),
        json!(["2024-01-01", "2024-03-01"]),
    ] {
        let parts = json!({
            "metrics": ["visitors", "pageviews"],
            "date_range": range,
            "dimensions": ["time", "event:props:plan"],
            "filters": [
                ["or", [["is", "visit:city", [2_950_159]], ["not", ["contains", "event:page", ["/a"], { "case_sensitive": false }]]]],
                ["has_not_done", ["is", "event:name", ["Signup"]]],
                ["matches_not", "event:props:plan", ["^p"]],
            ],
            "include": { "time_labels": true, "total_rows": false },
            "pagination": { "limit": 5, "offset": 1 },
        });
        let query = parse("Europe/Berlin", &parts).unwrap();
        let echoed = query.to_wire();
        assert_eq!(parse("Europe/Berlin", &echoed).unwrap(), query);
        assert_eq!(echoed["filters"], parts["filters"]);
        assert_eq!(echoed["include"], json!({ "time_labels": true }));
    }
}

#[test]
fn a_query_cannot_reach_behind_what_the_site_keeps() {
    let site = Site { retention_days: Some(10), ..site("Europe/Berlin") };
    let now = "2024-05-15T12:00:00Z".parse().unwrap();
    let query = json!({ "site_id": "example.com", "metrics": ["visitors"], "date_range": "30d" });
    let query = Query::parse(&query, &Known::new(&site, now)).unwrap();
    assert_eq!(query.kept_from, Some("2024-05-05T00:00:00+02:00".parse().unwrap()));
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
    check(leap, year, ["2023-02-01T00:00:00+01:00", "2023-02-28T23:59:59+01:00"]);
    let custom = json!({ "mode": "custom", "date_range": ["2024-01-01", "2024-01-02"] });
    check(may(), custom, ["2024-01-01T00:00:00+01:00", "2024-01-02T23:59:59+01:00"]);
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
fn a_wrong_comparison_is_refused() {
    let check = |comparisons: Value, expected: &str| {
        check_error(json!({ "include": { "comparisons": comparisons } }), expected)
    };
    let modes = r#""previous_period", "year_over_year", or "custom" with a date_range."#;
    check(json!(true), "#/include/comparisons: Invalid comparisons true: an object with a mode.");
    check(json!({}), &format!("#/include/comparisons/mode: Invalid mode null: {modes}"));
    check(
        json!({ "mode": "x" }),
        &format!(r##"#/include/comparisons/mode: Invalid mode "x": {modes}"##),
    );
    check(
        json!({ "mode": "custom" }),
        r##"#/include/comparisons/date_range: Missing: the mode "custom" needs a date_range."##,
    );
    check(
        json!({ "mode": "previous_period", "match_day_of_week": 1 }),
        "#/include/comparisons/match_day_of_week: Invalid match_day_of_week 1: true or false.",
    );
}
