use jiff::civil::date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Kind, in_its_words, translate};
use crate::query::{Dialect, Known, Query};
use crate::site::{Site, SiteId};

fn translated(kind: Kind, parameters: &[(&str, &str)]) -> Result<Value, String> {
    let parameters: Vec<_> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    translate(kind, &parameters, date(2024, 5, 15)).map_err(|error| error.to_string())
}

#[track_caller]
fn check_range(period: &str, day: &str, expected: [&str; 2]) {
    let query = translated(Kind::Aggregate, &[("period", period), ("date", day)]).unwrap();
    assert_eq!(query["date_range"], json!(expected), "{period} of {day}");
}

#[test]
fn a_period_is_of_a_date_and_days_end_before_it() {
    check_range("", "", ["2024-04-15", "2024-05-14"]);
    check_range("day", "", ["2024-05-15", "2024-05-15"]);
    check_range("day", "2024-02-29", ["2024-02-29", "2024-02-29"]);
    check_range("7d", "2024-03-02", ["2024-02-24", "2024-03-01"]);
    check_range("30d", "2024-03-31", ["2024-03-01", "2024-03-30"]);
    check_range("month", "2024-02-10", ["2024-02-01", "2024-02-29"]);
    check_range("6mo", "2024-03-31", ["2023-10-01", "2024-03-31"]);
    check_range("12mo", "2024-05-15", ["2023-06-01", "2024-05-31"]);
    check_range("custom", "2024-01-01, 2024-01-31", ["2024-01-01", "2024-01-31"]);
}

#[test]
fn a_time_series_has_the_buckets_that_fit_its_period() {
    let interval = |parameters: &[(&str, &str)]| {
        translated(Kind::Timeseries, parameters).unwrap()["dimensions"][0].clone()
    };
    assert_eq!(interval(&[("period", "day")]), "time:hour");
    assert_eq!(interval(&[("period", "30d")]), "time:day");
    assert_eq!(interval(&[("period", "12mo")]), "time:month");
    assert_eq!(interval(&[("period", "12mo"), ("interval", "date")]), "time:day");
    assert_eq!(
        interval(&[("period", "30d"), ("interval", "month"), ("property", "event:page")]),
        "time:month"
    );
}

#[track_caller]
fn check_filters(text: &str, expected: Value) {
    let query = translated(Kind::Aggregate, &[("filters", text)]).unwrap();
    assert_eq!(query["filters"], expected, "{text}");
}

#[test]
fn filters_are_translated() {
    check_filters("visit:source==Google", json!([["is", "visit:source", ["Google"]]]));
    check_filters(
        "visit:source == Google | Bing",
        json!([["is", "visit:source", ["Google", "Bing"]]]),
    );
    check_filters(r"event:name==a\|b|c", json!([["is", "event:name", ["a|b", "c"]]]));
    check_filters("visit:os!=Mac|iOS", json!([["is_not", "visit:os", ["Mac", "iOS"]]]));
    check_filters(
        "event:page==/blog/**",
        json!([["matches_wildcard", "event:page", ["/blog/**"]]]),
    );
    check_filters(
        "visit:browser==F*|S*",
        json!([["matches_wildcard", "visit:browser", ["F*", "S*"]]]),
    );
    check_filters(
        r"event:page==/a\|b* | /c ",
        json!([["matches_wildcard", "event:page", [r"/a\|b*", "/c"]]]),
    );
    check_filters("event:page!=/a*", json!([["matches_wildcard_not", "event:page", ["/a*"]]]));
    check_filters(
        "event:page==/a!=b;visit:country==DE",
        json!([["is", "event:page", ["/a!=b"]], ["is", "visit:country", ["DE"]]]),
    );
    check_filters(
        "event:goal==Visit /blog/**|Signup",
        json!([["is", "event:goal", ["Visit /blog/**", "Signup"]]]),
    );
    check_filters("visit:country==Germany;event:page==/", json!([["is", "event:page", ["/"]]]));
}

#[test]
fn a_breakdown_is_sorted_paged_and_without_blanks() {
    let parameters = [
        ("property", "visit:os_version"),
        ("metrics", "visits,visitors"),
        ("limit", "5"),
        ("page", "3"),
    ];
    let query = translated(Kind::Breakdown, &parameters).unwrap();
    assert_eq!(query["dimensions"], json!(["visit:os_version", "visit:os"]));
    assert_eq!(
        query["order_by"],
        json!([["visits", "desc"], ["visit:os_version", "asc"], ["visit:os", "asc"]])
    );
    assert_eq!(query["pagination"], json!({ "limit": 5, "offset": 10 }));
    let of_attention = [("property", "event:page"), ("metrics", "time_on_page")];
    assert_eq!(translated(Kind::Breakdown, &of_attention).unwrap()["order_by"], json!([]));
    let query = translated(Kind::Breakdown, &[("property", "visit:utm_source")]).unwrap();
    assert_eq!(query["filters"], json!([["matches", "visit:utm_source", ["."]]]));
    assert_eq!(query["pagination"], json!({ "limit": 100, "offset": 0 }));
    for place in ["visit:country_name", "visit:region_name", "visit:city_name"] {
        let query = translated(Kind::Breakdown, &[("property", place)]).unwrap();
        assert_eq!(query["filters"], json!([["matches", place, ["."]]]));
    }
}

#[track_caller]
fn check_error(kind: Kind, parameters: &[(&str, &str)], expected: &str) {
    assert_eq!(translated(kind, parameters).unwrap_err(), expected);
}

#[test]
fn parameters_without_meaning_are_refused() {
    check_error(
        Kind::Aggregate,
        &[("period", "2d")],
        r##"#/period: Invalid period "2d": day, 7d, 30d, month, 6mo, 12mo, or custom."##,
    );
    check_error(
        Kind::Aggregate,
        &[("date", "x")],
        r##"#/date: Invalid date "x": it is written "2024-01-31"."##,
    );
    check_error(
        Kind::Aggregate,
        &[("period", "custom")],
        r##"#/date: Invalid date "": the period custom needs two dates, "2024-01-01,2024-01-31"."##,
    );
    check_error(Kind::Breakdown, &[], "#/property: Missing: the property to break down by.");
    check_error(
        Kind::Breakdown,
        &[("property", "event:hostname")],
        r##"#/property: Invalid property "event:hostname": it cannot be broken down by."##,
    );
    check_error(
        Kind::Breakdown,
        &[("property", "event:page"), ("limit", "1001")],
        r##"#/limit: Invalid limit "1001": a whole number from 1 to 1000."##,
    );
    check_error(
        Kind::Timeseries,
        &[("interval", "year")],
        r##"#/interval: Invalid interval "year": day or month."##,
    );
    check_error(
        Kind::Aggregate,
        &[("filters", "visit:source")],
        r##"#/filters: Invalid filter "visit:source": a property, == or !=, and a value, as in visit:source==Google."##,
    );
    check_error(
        Kind::Aggregate,
        &[("filters", "event:name==Signup"), ("metrics", "visitors,bounce_rate")],
        r##"#/metrics/1: Invalid metric "bounce_rate": a metric of visits cannot be combined with "event:name"."##,
    );
    check_error(
        Kind::Aggregate,
        &[("filters", "event:page==/;event:goal==Signup"), ("metrics", "visitors,time_on_page")],
        r##"#/metrics/1: Invalid metric "time_on_page": a metric of attention to pages cannot be combined with "event:goal"."##,
    );
    check_error(
        Kind::Breakdown,
        &[("property", "event:name"), ("filters", "event:page==/"), ("metrics", "scroll_depth")],
        r##"#/metrics/0: Invalid metric "scroll_depth": a metric of attention to pages cannot be combined with "event:name"."##,
    );
    check_error(
        Kind::Aggregate,
        &[("compare", "x")],
        r##"#/compare: Invalid compare "x": previous_period."##,
    );
}

#[track_caller]
fn check_told(kind: Kind, parameters: &[(&str, &str)], expected: &str) {
    let mut query = translated(kind, parameters).unwrap();
    query["site_id"] = json!("example.com");
    let parameters: Vec<_> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let site = Site::new(SiteId(7), "example.com", TimeZone::UTC);
    let known = Known::new(&site, "2024-05-15T12:00:00Z".parse().unwrap());
    let known = Known { dialect: Dialect::V1, ..known };
    let error = Query::parse(&query, &known).expect_err("it was accepted");
    assert_eq!(in_its_words(error, kind, &parameters).to_string(), expected);
}

#[test]
fn what_is_wrong_is_told_of_what_was_written() {
    check_told(
        Kind::Breakdown,
        &[("property", "visit:source"), ("metrics", "visitors,conversion_rate")],
        r##"#/metrics/1: Invalid metric "conversion_rate": it needs the dimension event:goal or a filter on it."##,
    );
    check_told(Kind::Breakdown, &[("property", "foo")], r##"#/property: Invalid property "foo""##);
    check_told(
        Kind::Aggregate,
        &[("period", "custom"), ("date", "2026-10-02,2026-10-01")],
        r##"#/date: Invalid date "2026-10-02,2026-10-01": it ends before it begins."##,
    );
    check_told(
        Kind::Aggregate,
        &[("date", "1960-01-01")],
        r##"#/date: Invalid date "1960-01-01": it must lie between 1970-01-02 and 2105-12-31."##,
    );
    check_told(
        Kind::Aggregate,
        &[("filters", "event:page==/;foo==x")],
        r##"#/filters: Invalid property "foo" in a filter."##,
    );
    check_told(
        Kind::Aggregate,
        &[("filters", "event:goal==Gone")],
        r##"#/filters: Invalid goal "Gone": the site has no goal of this name."##,
    );
    check_error(
        Kind::Aggregate,
        &[("filters", "event:page==/;event:goal!=Signup")],
        r##"#/filters: Invalid filter "event:goal!=Signup": goals are found by == alone."##,
    );
}
