//! The text of the statements: a few that tell how reports are computed, and what never is in one.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::query::dimension::Field;
use crate::query::interval::Interval;
use crate::query::{Known, Query};
use crate::site::Site;

pub(super) fn site() -> Site {
    Site::new(SiteId(7), "example.com", TimeZone::get("Europe/Berlin").unwrap())
}

fn query(parts: &Value) -> Result<Query, crate::query::QueryError> {
    query_of(&site(), parts)
}

/// The visitors of a May that is over, or what the parts say else.
pub(super) fn query_of(site: &Site, parts: &Value) -> Result<Query, crate::query::QueryError> {
    let mut query = json!({
        "site_id": "example.com", "metrics": ["visitors"], "date_range": ["2024-05-01", "2024-05-31"],
    });
    for (key, value) in parts.as_object().unwrap() {
        query[key] = value.clone();
    }
    let now = "2024-06-15T12:00:00Z".parse().unwrap();
    Query::parse(&query, &Known::new(site, now))
}

/// The statement, a clause a line, and its values.
fn told(parts: &Value) -> String {
    let statement = compile(&query(parts).unwrap(), &Closed::none());
    let mut told = statement.text().to_owned();
    for word in [
        "FROM",
        "WHERE",
        "GROUP BY",
        "HAVING",
        "ORDER BY",
        "LIMIT",
        "LEFT JOIN",
        "FULL JOIN",
        "SETTINGS",
    ] {
        told = told.replace(&format!(" {word} "), &format!("\n{word} "));
    }
    for (name, value) in statement.params() {
        told.push_str(&format!("\n{name} = {value:?}"));
    }
    told
}

#[test]
fn a_report_on_events_reads_the_table_once() {
    insta::assert_snapshot!(told(&json!({
        "metrics": ["pageviews", "visitors"], "dimensions": ["visit:source"],
        "filters": [["is", "visit:country", ["DE"]]],
    })), @r#"
        SELECT d0, pageviews, visitors
        FROM (SELECT transform(toString(source), [''], ['Direct / None']) AS d0, uniqExactIf(visitor_id, visitor_id != 0) AS visitors, countIf(name = 'pageview') AS pageviews
        FROM events FINAL
        WHERE site_id = {p0:UInt64} AND timestamp >= toDateTime({p1:UInt64}, 'UTC') AND timestamp <= toDateTime({p2:UInt64}, 'UTC') AND _partition_id >= {p3:String} AND _partition_id <= {p4:String} AND name != 'engagement' AND country = {p5:String}
        GROUP BY d0)
        ORDER BY pageviews DESC NULLS LAST, d0 ASC NULLS LAST
        LIMIT {p6:UInt64} OFFSET {p7:UInt64}
        p0 = Number(7)
        p1 = Number(1714514400)
        p2 = Number(1717192799)
        p3 = Text("20240430")
        p4 = Text("20240531")
        p5 = Text("DE")
        p6 = Number(10000)
        p7 = Number(0)
        "#);
}

#[test]
fn a_report_on_visits_makes_them_of_their_events() {
    insta::assert_snapshot!(told(&json!({ "metrics": ["bounce_rate"], "dimensions": ["visit:entry_page"] })), @r#"
        SELECT d0, bounce_rate
        FROM (SELECT toString(visit_entry_page) AS d0, toUInt64(ifNotFinite(round(countIf(bounced AND entered) / countIf(entered) * 100), 0)) AS bounce_rate
        FROM (SELECT *, 1 AS entered
        FROM (SELECT session_id AS visit, any(visitor_id) AS visitor, 0 AS lone, argMin(timestamp, seq) AS arrival, argMax(timestamp, seq) AS departure, least(arrival, departure) AS first, greatest(arrival, departure) AS last, last - first AS duration, countIf(name = 'pageview') AS views, views < 2 AND countIf(name != 'pageview' AND interactive) = 0 AS bounced, argMinIf(pathname, seq, name = 'pageview') AS visit_entry_page
        FROM events FINAL
        WHERE site_id = {p0:UInt64} AND timestamp >= toDateTime({p1:UInt64}, 'UTC') AND timestamp <= toDateTime({p2:UInt64}, 'UTC') AND _partition_id >= {p3:String} AND _partition_id <= {p4:String} AND session_id != 0 AND (session_id >= {p5:UInt64} OR session_id IN (SELECT session_id
        FROM events
        WHERE site_id = {p0:UInt64} AND timestamp >= toDateTime({p6:UInt64}, 'UTC') AND timestamp <= toDateTime({p7:UInt64}, 'UTC') AND session_id < {p5:UInt64} AND name != 'engagement')) AND name != 'engagement'
        GROUP BY site_id, session_id
        HAVING last >= toDateTime({p6:UInt64}, 'UTC') AND first <= toDateTime({p8:UInt64}, 'UTC')
        SETTINGS optimize_aggregation_in_order = 1, max_block_size = 8192, do_not_merge_across_partitions_select_final = 0))
        WHERE 1
        GROUP BY d0)
        ORDER BY bounce_rate DESC NULLS LAST, d0 ASC NULLS LAST
        LIMIT {p9:UInt64} OFFSET {p10:UInt64}
        p0 = Number(7)
        p1 = Number(1714424400)
        p2 = Number(1717282799)
        p3 = Text("20240429")
        p4 = Text("20240601")
        p5 = Number(7363783276521062400)
        p6 = Number(1714514400)
        p7 = Number(1714604400)
        p8 = Number(1717192799)
        p9 = Number(10000)
        p10 = Number(0)
        "#);
}

#[test]
fn the_names_of_properties_are_rows_and_nothing_to_filter_by() {
    let parts = json!({ "metrics": ["visitors", "events"], "dimensions": ["event:props"] });
    assert!(
        told(&parts).contains("arrayJoin(arrayMap(name -> toString(name), mapKeys(props))) AS d0")
    );
    let filtered = json!({ "metrics": ["visitors"], "filters": [["is", "event:props", ["plan"]]] });
    assert!(query(&filtered).is_err());
}

#[test]
fn a_report_on_both_joins_them_by_the_dimensions() {
    insta::assert_snapshot!(told(&json!({ "metrics": ["pageviews", "visit_duration"], "dimensions": ["time:hour"] })), @r#"
        SELECT d0, pageviews, visit_duration
        FROM (SELECT *
        FROM (SELECT formatDateTime(timestamp, '%Y-%m-%d %H:00:00', {p0:String}) AS d0, countIf(name = 'pageview') AS pageviews
        FROM events FINAL
        WHERE site_id = {p1:UInt64} AND timestamp >= toDateTime({p2:UInt64}, 'UTC') AND timestamp <= toDateTime({p3:UInt64}, 'UTC') AND _partition_id >= {p4:String} AND _partition_id <= {p5:String} AND name != 'engagement'
        GROUP BY d0) AS l
        FULL JOIN (SELECT arrayJoin(arrayDistinct(arrayMap(slot -> formatDateTime(slot, '%Y-%m-%d %H:00:00', {p0:String}), timeSlots(greatest(first, toDateTime({p2:UInt64}, 'UTC')), toUInt32(least(last, toDateTime({p3:UInt64}, 'UTC')) - greatest(first, toDateTime({p2:UInt64}, 'UTC'))), {p6:UInt64})))) AS d0, toUInt64(ifNotFinite(round(avg(duration)), 0)) AS visit_duration
        FROM (SELECT *, 1 AS entered
        FROM (SELECT session_id AS visit, any(visitor_id) AS visitor, 0 AS lone, argMin(timestamp, seq) AS arrival, argMax(timestamp, seq) AS departure, least(arrival, departure) AS first, greatest(arrival, departure) AS last, last - first AS duration, countIf(name = 'pageview') AS views, views < 2 AND countIf(name != 'pageview' AND interactive) = 0 AS bounced
        FROM events FINAL
        WHERE site_id = {p1:UInt64} AND timestamp >= toDateTime({p7:UInt64}, 'UTC') AND timestamp <= toDateTime({p8:UInt64}, 'UTC') AND _partition_id >= {p9:String} AND _partition_id <= {p10:String} AND session_id != 0 AND (session_id >= {p11:UInt64} OR session_id IN (SELECT session_id
        FROM events
        WHERE site_id = {p1:UInt64} AND timestamp >= toDateTime({p2:UInt64}, 'UTC') AND timestamp <= toDateTime({p12:UInt64}, 'UTC') AND session_id < {p11:UInt64} AND name != 'engagement')) AND name != 'engagement'
        GROUP BY site_id, session_id
        HAVING last >= toDateTime({p2:UInt64}, 'UTC') AND first <= toDateTime({p3:UInt64}, 'UTC')
        SETTINGS optimize_aggregation_in_order = 1, max_block_size = 8192, do_not_merge_across_partitions_select_final = 0))
        WHERE 1
        GROUP BY d0) AS r USING (d0))
        ORDER BY d0 ASC NULLS LAST, pageviews DESC NULLS LAST
        LIMIT {p13:UInt64} OFFSET {p14:UInt64}
        p0 = Text("Europe/Berlin")
        p1 = Number(7)
        p2 = Number(1714514400)
        p3 = Number(1717192799)
        p4 = Text("20240430")
        p5 = Text("20240531")
        p6 = Number(900)
        p7 = Number(1714424400)
        p8 = Number(1717282799)
        p9 = Text("20240429")
        p10 = Text("20240601")
        p11 = Number(7363783276521062400)
        p12 = Number(1714604400)
        p13 = Number(10000)
        p14 = Number(0)
        "#);
}

/// Every combination of a metric with a dimension that has a meaning.
fn combinations() -> impl Iterator<Item = Query> {
    let fields = Field::ALL.iter().map(|field| field.spec().name);
    let names =
        fields.chain(Interval::ALL.iter().map(|interval| interval.name())).chain(["event:props:x"]);
    let names: Vec<_> = names.collect();
    let metrics = Metric::ALL.iter().map(|metric| metric.spec().name).chain(["p50:event:props:x"]);
    metrics.flat_map(move |metric| {
        let query = |name: &&str| {
            query(&json!({ "metrics": [metric, "visitors"], "dimensions": [name] })).ok()
        };
        names.iter().filter_map(query).collect::<Vec<_>>()
    })
}

#[test]
fn every_statement_is_of_one_site_and_one_period() {
    for query in combinations() {
        let statement = compile(&query, &Closed::none());
        let reads = statement.text().matches("FROM events").count();
        for bound in ["site_id = {", "timestamp >= toDateTime({", "timestamp <= toDateTime({"] {
            assert_eq!(statement.text().matches(bound).count(), reads, "{}", statement.text());
        }
    }
}

/// The readings of a statement that merge partitions with each other and do not say which: they read all there are. The statement is
/// run by a client that merges them, or not, where nothing else is said.
pub(super) fn readings_of_all_partitions(text: &str, merges: bool) -> Vec<&str> {
    const READING: &str = " FROM events FINAL WHERE ";
    let readings = text.match_indices(READING).map(|(place, _)| &text[place + READING.len()..]);
    readings.filter(|rest| !names_partitions(rest) && merges_partitions(rest, merges)).collect()
}

/// Whether the conditions at the beginning of the text, outside of all parentheses, name partitions.
fn names_partitions(rest: &str) -> bool {
    let mut depth = 0;
    let own = rest.chars().map_while(|character| {
        depth += i32::from(character == '(') - i32::from(character == ')');
        (depth >= 0).then_some(if depth == 0 { character } else { ' ' })
    });
    let own: String = own.collect();
    own.split(" UNION ALL ").next().unwrap().contains("_partition_id >= ")
}

/// What the nearest settings say that follow: of this reading, or of what is around it.
fn merges_partitions(rest: &str, otherwise: bool) -> bool {
    let (mut depth, mut is_beside) = (0, false);
    for (place, character) in rest.char_indices() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        if depth < 0 {
            (depth, is_beside) = (0, false);
        }
        let here = if depth == 0 { &rest[place..] } else { "" };
        is_beside |= here.starts_with(" UNION ALL ");
        let settings = here.strip_prefix(" SETTINGS ").filter(|_| !is_beside);
        let merging = settings.and_then(|settings| {
            let own = settings.split(['(', ')']).next()?.split(" UNION ALL ").next()?;
            own.split_once("do_not_merge_across_partitions_select_final = ")
        });
        if let Some((_, said)) = merging {
            return said.starts_with('0');
        }
    }
    otherwise
}

#[test]
fn no_statement_merges_all_partitions() {
    let of_whole_visits = json!({
        "metrics": ["visitors", "time_on_page"], "dimensions": ["event:page"],
        "filters": [["is", "visit:exit_page", ["/"]], ["has_done", ["is", "event:name", ["Signup"]]]],
    });
    let goals = GoalsCounted { set: 0, version: 0 };
    let closed = (1..=29).map(|day| {
        (jiff::civil::date(2024, 5, day), Counting { version: 1, goes_on: day == 29, goals })
    });
    let closed: Closed = closed.collect();
    for query in combinations().chain([query(&of_whole_visits).unwrap()]) {
        for closed in [&Closed::none(), &closed] {
            let statement = compile(&query, closed);
            assert_eq!(readings_of_all_partitions(statement.text(), false), [""; 0]);
        }
    }
    let reading = "SELECT (SELECT 1 FROM events FINAL WHERE site_id = (1) GROUP BY x) SETTINGS a = 1, \
                   do_not_merge_across_partitions_select_final = 0";
    assert_eq!(readings_of_all_partitions(reading, false).len(), 1);
    assert_eq!(readings_of_all_partitions(&reading.replace("= 0", "= 1"), true).len(), 0);
    assert_eq!(
        readings_of_all_partitions(&reading.replace("GROUP", "AND _partition_id >= 1 GROUP"), true)
            .len(),
        0
    );
}

#[test]
fn parentheses_are_balanced_whatever_is_asked() {
    for query in combinations() {
        let text = compile(&query, &Closed::none()).text().to_owned();
        let depth = text.chars().fold(0i32, |depth, character| match character {
            '(' => depth + 1,
            ')' => depth - 1,
            _ => depth,
        });
        assert_eq!(depth, 0, "{text}");
    }
}

/// A filter of any shape, with values that begin with a mark.
fn filter() -> impl Strategy<Value = Value> {
    let subjects: Vec<String> = Field::ALL
        .iter()
        .filter(|field| **field != Field::Hostname && **field != Field::Country)
        .map(|field| field.spec().name.to_owned())
        .chain(["event:props:§key".to_owned()])
        .collect();
    let value = ".*".prop_map(|text: String| format!("§{text}"));
    let operators = vec![
        "is",
        "is_not",
        "contains",
        "contains_not",
        "starts_with",
        "ends_with_not",
        "matches",
        "matches_not",
        "matches_wildcard",
    ];
    let test = (
        prop::sample::select(operators),
        prop::sample::select(subjects),
        prop::collection::vec(value, 1..3),
    );
    // Whatever text it is, quoted it is a regular expression.
    let quoted = |value: &String| format!(r"§\Q{}", value.replace('\\', "/"));
    let test = test.prop_map(move |(operator, subject, values)| match operator {
        "matches" | "matches_not" => {
            json!([operator, subject, values.iter().map(quoted).collect::<Vec<_>>()])
        }
        _ => json!([operator, subject, values]),
    });
    test.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|filters| json!(["or", filters])),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|filters| json!(["and", filters])),
            inner.prop_map(|filter| json!(["not", filter])),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_never_reaches_the_text(
        filters in prop::collection::vec(filter(), 0..3),
        property in "[a-z'\"{}?\\\\]{1,12}",
        metric in prop::sample::select(vec!["visitors", "pageviews", "percentage"]),
    ) {
        let dimension = format!("event:props:§{property}");
        let of_property = format!("sum:{dimension}");
        let query = query(&json!({ "metrics": [metric, of_property], "dimensions": [dimension], "filters": filters })).unwrap();
        for statement in [compile(&query, &Closed::none()), total_rows(&query, &Closed::none())] {
            prop_assert!(!statement.text().contains('§'), "{}", statement.text());
            prop_assert!(statement.text().is_ascii() || statement.text().contains("transform("));
        }
    }
}
