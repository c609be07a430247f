//! What a query may not say, and what it is told then.

use serde_json::{Value, json};

use super::{parse, site};
use crate::query::{Known, Query, period};
use crate::site::Site;
use crate::site::goal::{Goal, GoalKind};
use crate::site::segment::Segment;

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
        r##"#/include/foo: Unknown key "foo": include has the keys imports, time_labels, total_rows, zero_fill, comparisons."##,
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
        r##"#/filters/0/2/1: Invalid country "Germany": two letters, as in "DE", or "" for none."##,
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
    check(
        json!(["is_set", "visit:source", ["x"]]),
        r##"#/filters/0: Invalid filter ["is_set","visit:source",["x"]]: is_set takes a dimension, and no values."##,
    );
    check(
        json!(["starts_with", "visit:source"]),
        r##"#/filters/0: Invalid filter ["starts_with","visit:source"]: starts_with takes a dimension and a list of values."##,
    );
    check(
        json!(["is_set", "event:goal"]),
        r##"#/filters/0/0: Invalid operator "is_set": goals are found by is and contains."##,
    );
    check(json!(["not"]), r##"#/filters/0: Invalid filter ["not"]: "not" takes one filter."##);
}

#[test]
fn filters_have_their_limits() {
    let many = vec!["x"; 1_001];
    check_error(
        json!({ "filters": [["is", "visit:source", many]] }),
        "#/filters/0/2: Invalid values: 1001 of 1001 bytes; at most 1000 values of 32768 bytes together.",
    );
    check_error(
        json!({ "filters": [["or", vec![json!(["is", "visit:source", ["x"]]); 101]]] }),
        "#/filters: Invalid filters: 101 with 101 bytes in all; at most 100 comparisons with values of 131072 bytes.",
    );
    let long = json!(["is", "visit:source", ["x".repeat(32_768)]]);
    check_error(
        json!({ "filters": [long, long, long, long, long] }),
        "#/filters: Invalid filters: 5 with 163840 bytes in all; at most 100 comparisons with values of 131072 bytes.",
    );
    let deep = (0..17).fold(json!(["is", "event:page", ["/"]]), |filter, _| json!(["not", filter]));
    let error = parse("Etc/UTC", &json!({ "filters": [deep] })).unwrap_err().to_string();
    assert!(error.ends_with("filters nest 16 deep at most."), "{error}");
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
        json!({ "include": { "zero_fill": true } }),
        "#/include/zero_fill: Invalid include.zero_fill true: it needs a time dimension.",
    );
    let ages = json!(["1970-01-02", "2105-12-31"]);
    check_error(
        json!({ "dimensions": ["time:hour"], "date_range": ages, "include": { "zero_fill": true } }),
        "#/include/zero_fill: Invalid include.zero_fill true: there are more than 100000 buckets of time:hour.",
    );
    check_error(
        json!({ "dimensions": ["time:hour"], "date_range": ages, "include": { "time_labels": true } }),
        "#/include/time_labels: Invalid include.time_labels true: there are more than 150000 labels of time:hour.",
    );
    let custom = json!({ "comparisons": { "mode": "custom", "date_range": ages } });
    check_error(
        json!({ "dimensions": ["time:minute"], "include": custom }),
        "#/include/comparisons: Invalid comparisons: there are more than 150000 labels of time:minute.",
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
fn a_whole_number_may_be_written_with_decimals() {
    let filters = json!([["is", "visit:city", [2_950_159.0]]]);
    let parts = json!({ "pagination": { "limit": 10.0, "offset": 20.0 }, "filters": filters });
    let query = parse("Etc/UTC", &parts).unwrap().to_wire();
    assert_eq!(query["pagination"], json!({ "limit": 10, "offset": 20 }));
    assert_eq!(query["filters"], json!([["is", "visit:city", [2_950_159]]]));
}

#[test]
fn a_country_is_found_by_its_code_in_either_case_and_a_blank_by_its_names() {
    let values = |values: Value| {
        let parts = json!({ "filters": [["is", "visit:country", values]] });
        parse("Etc/UTC", &parts).unwrap().to_wire()["filters"][0][2].clone()
    };
    assert_eq!(values(json!(["de", "Fr", "US"])), json!(["DE", "FR", "US"]));
    assert_eq!(values(json!([""])), json!([""]));
    assert_eq!(values(json!(["(not set)"])), json!(["(not set)"]));
}

/// A site that wants sign-ups, with a segment of those and one of a source.
fn site_with_segments() -> Site {
    let segment = |id, name: &str, filters: Value| Segment {
        id,
        name: name.to_owned(),
        filters: filters.as_array().cloned().unwrap(),
    };
    let goal = |name: &str| Goal {
        name: name.to_owned(),
        kind: GoalKind::Event(name.to_owned()),
        currency: None,
    };
    Site {
        goals: vec![goal("Signup")],
        segments: vec![
            segment(
                1,
                "Buyers",
                json!([["is", "event:goal", ["Signup"]], ["is", "visit:os", ["iOS"]]]),
            ),
            segment(2, "Searchers", json!([["is", "visit:source", ["Google"]]])),
            segment(3, "Old", json!([["is", "event:goal", ["Gone"]]])),
        ],
        ..site("Etc/UTC")
    }
}

#[test]
fn what_is_wrong_with_a_segment_is_told_of_the_filter_that_names_it() {
    let site = site_with_segments();
    let check = |filters: Value, expected: &str| {
        let query = json!({
            "site_id": "example.com", "metrics": ["visitors"], "date_range": "day", "filters": filters,
        });
        let known = Known::new(&site, "2024-05-15T12:00:00Z".parse().unwrap());
        let error = Query::parse(&query, &known).expect_err("it was accepted").to_string();
        assert_eq!(error, expected);
    };
    let rule = r#"Invalid filter on "event:goal": it must stand at the top level of the filters."#;
    check(
        json!([["is", "visit:os", ["iOS"]], ["is", "segment", [2, 1]]]),
        &format!(r##"#/filters/1: Segment 1 ("Buyers"): {rule}"##),
    );
    check(
        json!([["or", [["is", "visit:os", ["iOS"]], ["is", "segment", [1]]]]]),
        &format!(r##"#/filters/0/1/1: Segment 1 ("Buyers"): {rule}"##),
    );
    // What was written beside it has its own place.
    check(
        json!([["or", [["is", "event:goal", ["Signup"]], ["is", "segment", [2]]]]]),
        &format!("#/filters/0/1/0/1: {rule}"),
    );
    check(
        json!([["is", "segment", [3]]]),
        r##"#/filters/0: Segment 3 ("Old"): Invalid goal "Gone": the site has no goal of this name."##,
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
