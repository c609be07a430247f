//! From the wire to a query: what it comes to, and what is refused.

mod periods;
mod refusals;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn site(zone: &str) -> Site {
    Site::new(SiteId(7), "example.com", TimeZone::get(zone).unwrap())
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
                ["or", [["is", "visit:city", [2_950_159]], ["is_not", "visit:city", [1, 9_223_372_036_854_775_808_u64, -1]], ["not", ["contains", "event:page", ["/a"], { "case_sensitive": false }]]]],
                ["has_not_done", ["is", "event:name", ["Signup"]]],
                ["matches_not", "event:props:plan", ["^p"]],
                ["starts_with_not", "event:page", ["/a"], { "case_sensitive": false }],
                ["is_not_set", "visit:utm_source"],
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

/// JSON of any shape, with the words of queries in it.
fn anything() -> impl Strategy<Value = Value> {
    let words = vec![
        "visitors",
        "time",
        "time:hour",
        "event:page",
        "event:goal",
        "is",
        "not",
        "and",
        "has_done",
        "contains",
        "custom",
        "7d",
        "2024-02-29",
        "9999-12-31",
        "2024-05-01T10:00:00Z",
        "desc",
        "previous_period",
        "",
        "ä",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(words).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let keys = vec![
        "limit",
        "offset",
        "mode",
        "date_range",
        "comparisons",
        "time_labels",
        "case_sensitive",
        "x",
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(
                prop::sample::select(keys.clone()).prop_map(str::to_owned),
                inner,
                0..4
            )
            .prop_map(|parts| Value::Object(parts.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_asked_is_answered_or_refused_and_an_answered_query_is_its_own_echo(
        key in prop::sample::select(vec!["date_range", "dimensions", "filters", "order_by", "include", "pagination"]),
        value in anything(),
    ) {
        if let Ok(query) = parse("Europe/Berlin", &json!({ key: value })) {
            compile(&query, &Closed::none());
            prop_assert_eq!(parse("Europe/Berlin", &query.to_wire()).unwrap(), query);
        }
    }

    #[test]
    fn whatever_is_sent_is_read_or_refused(value in anything()) {
        let _ = Wire::parse(&value, &[]);
    }
}
