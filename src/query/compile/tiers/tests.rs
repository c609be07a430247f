//! Which parts of a period are added up, and which query can be.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::tests::{self, readings_of_all_partitions, site};
use super::by::{By, Of};
use super::split::{Split, Told};
use super::*;
use crate::query::compile;
use crate::query::dimension::Field;
use crate::site::Site;
use crate::site::goal::{Goal, GoalKind};

fn query_of(site: &Site, parts: &Value) -> Query {
    tests::query_of(site, parts).unwrap()
}

fn query(parts: &Value) -> Query {
    query_of(&site(), parts)
}

fn may(day: i8) -> Date {
    date(2024, 5, day)
}

fn counting(day: i8, goes_on: bool) -> Counting {
    let version = u64::from(day.unsigned_abs());
    Counting { version, goes_on, goals: GoalsCounted { set: 1, version: version + 100 } }
}

fn closed(days: impl IntoIterator<Item = i8>) -> Closed {
    days.into_iter().map(|day| (may(day), counting(day, false))).collect()
}

/// The closed days, and the stretches as the site's clock shows them: from, to, and the closed day before.
#[track_caller]
fn check(query: &Query, closed: &Closed, told: Told, days: &[i8], stretches: &[[&str; 3]]) {
    let split = Split::of(query, closed, told).unwrap();
    let added: Vec<i8> = split.closed.iter().map(|(day, _)| day.day()).collect();
    assert_eq!(added, days);
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let told = |moment| zone.to_datetime(moment).strftime("%d %H:%M:%S").to_string();
    let told: Vec<[String; 3]> = split
        .stretches
        .iter()
        .map(|stretch| {
            let before =
                stretch.before.map(|(day, _)| told(start_of(day, &zone))).unwrap_or_default();
            [told(stretch.from), told(stretch.to), before]
        })
        .collect();
    assert_eq!(told, stretches);
}

#[test]
fn what_lies_between_closed_days_is_counted_after_the_closed_day_before_it() {
    check(
        &query(&json!({})),
        &closed((2..=9).chain(12..=28)),
        Told::Events,
        &(2..=9).chain(12..=28).collect::<Vec<_>>(),
        &[
            ["01 00:00:00", "01 23:59:59", ""],
            ["10 00:00:00", "11 23:59:59", "09 00:00:00"],
            ["29 00:00:00", "31 23:59:59", "28 00:00:00"],
        ],
    );
}

#[test]
fn three_whole_days_may_be_added_up_and_two_may_not() {
    let of_days = |last: &str| query(&json!({ "date_range": ["2024-05-01", last] }));
    assert!(may_add_up(&of_days("2024-05-03")));
    assert!(!may_add_up(&of_days("2024-05-02")));
}

#[test]
fn of_visits_the_last_day_is_counted_unless_the_next_one_is_closed() {
    let query = query(&json!({ "date_range": ["2024-05-01", "2024-05-05"] }));
    check(&query, &closed(1..=5), Told::Events, &[1, 2, 3, 4, 5], &[]);
    let last = ["05 00:00:00", "05 23:59:59", "04 00:00:00"];
    check(&query, &closed(1..=5), Told::Visits, &[1, 2, 3, 4], &[last]);
    // Not if visits of that may go on.
    let goes_on: Closed = closed(1..=5).iter().chain([(may(6), counting(6, true))]).collect();
    check(&query, &goes_on, Told::Visits, &[1, 2, 3, 4], &[last]);
    let gone_on = ["06 00:00:00", "05 23:59:59", "05 00:00:00"];
    check(&query, &closed(1..=6), Told::Visits, &[1, 2, 3, 4, 5], &[gone_on]);
    let split = Split::of(&query, &closed(1..=6), Told::Visits).unwrap();
    assert_eq!(split.stretches[0].gone_on_into, Some((may(6), 6)));
    // So nothing is read of the events of a period in the past.
    let figures = json!({
        "metrics": ["visitors", "pageviews", "bounce_rate"], "date_range": ["2024-05-01", "2024-05-05"],
    });
    let statement = compile(&query_of(&site(), &figures), &closed(1..=6));
    assert!(!statement.text().contains(" FROM events "), "{}", statement.text());
}

#[test]
fn after_a_day_that_is_cut_another_one_is_counted() {
    let range = json!(["2024-05-01T10:00:00+02:00", "2024-05-07T10:00:00+02:00"]);
    check(
        &query(&json!({ "date_range": range })),
        &closed(1..=31),
        Told::Events,
        &[3, 4, 5, 6],
        &[["01 10:00:00", "02 23:59:59", ""], ["07 00:00:00", "07 10:00:00", "06 00:00:00"]],
    );
}

#[test]
fn where_a_sites_retention_ends_days_are_counted() {
    let site = Site { retention_days: Some(40), ..site() };
    let query = query_of(&site, &json!({ "date_range": ["2024-05-01", "2024-05-20"] }));
    let head = ["07 00:00:00", "09 23:59:59", ""];
    check(&query, &closed(1..=31), Told::Events, &(10..=20).collect::<Vec<_>>(), &[head]);
}

#[test]
fn many_stretches_are_made_fewer_by_counting_the_closed_days_between_the_nearest() {
    // Open are 3, 5, 9, 14, 20 and 31: 4 is given up first, then 6 to 8.
    let open = [3, 5, 9, 14, 20, 31];
    check(
        &query(&json!({})),
        &closed((1..=31).filter(|day| !open.contains(day))),
        Told::Events,
        &[1, 2].into_iter().chain(10..=13).chain(15..=19).chain(21..=30).collect::<Vec<_>>(),
        &[
            ["03 00:00:00", "09 23:59:59", "02 00:00:00"],
            ["14 00:00:00", "14 23:59:59", "13 00:00:00"],
            ["20 00:00:00", "20 23:59:59", "19 00:00:00"],
            ["31 00:00:00", "31 23:59:59", "30 00:00:00"],
        ],
    );
}

#[test]
fn few_closed_days_are_not_worth_it() {
    let query = query(&json!({}));
    assert_eq!(Split::of(&query, &closed([3, 4]), Told::Events), None);
    assert_eq!(compile(&query, &closed([3, 4])), compile(&query, &Closed::none()));
    assert_ne!(compile(&query, &closed([3, 4, 5])), compile(&query, &Closed::none()));
}

#[test]
fn by_what_a_query_is_answered() {
    let by = |parts: Value, of| By::of(&query(&parts), of);
    let source = json!({ "dimensions": ["visit:source"] });
    assert_eq!(by(json!({}), Of::Events), Some(By::Site));
    assert_eq!(by(source.clone(), Of::Visits), Some(By::Field(Field::Source)));
    assert_eq!(by(source, Of::Attention), None);
    let page = json!({ "dimensions": ["event:page", "time:week"], "metrics": ["visitors", "bounce_rate"] });
    assert_eq!(by(page.clone(), Of::Events), Some(By::Field(Field::Page)));
    assert_eq!(by(page, Of::Visits), Some(By::Field(Field::EntryPage)));
    let map = json!({ "dimensions": ["visit:country", "visit:country_name"] });
    assert_eq!(by(map, Of::Visits), Some(By::Field(Field::Country)));
    let two = json!({ "dimensions": ["visit:country", "visit:source"] });
    assert_eq!(by(two, Of::Visits), None);
    assert_eq!(by(json!({ "dimensions": ["time:hour"] }), Of::Visits), Some(By::Hour));
    assert_eq!(by(json!({ "dimensions": ["time:minute"], "date_range": "day" }), Of::Visits), None);
    assert_eq!(by(json!({ "dimensions": ["event:props:plan"] }), Of::Events), None);
}

#[test]
fn a_filter_on_the_dimension_itself_chooses_rows_and_any_other_must_be_counted() {
    let by = |dimensions: Value, filter: Value| {
        By::of(&query(&json!({ "dimensions": dimensions, "filters": [filter] })), Of::Visits)
    };
    let source = Some(By::Field(Field::Source));
    assert_eq!(by(json!(["visit:source"]), json!(["is", "visit:source", ["Google"]])), source);
    // What is called as a blank is kept with the blanks.
    let blank = json!(["is_not", "visit:source", ["Direct / None"]]);
    assert_eq!(by(json!(["visit:source"]), blank), source);
    assert_eq!(by(json!(["visit:source"]), json!(["contains", "visit:source", ["Dir"]])), None);
    let page = json!(["contains", "visit:entry_page", ["a"]]);
    assert_eq!(by(json!(["visit:entry_page"]), page), Some(By::Field(Field::EntryPage)));
    assert_eq!(by(json!(["visit:source"]), json!(["is", "visit:country", ["DE"]])), None);
    // One of its values is kept by itself. Of several a visitor may have more than one, and counts once.
    assert_eq!(by(json!([]), json!(["is", "visit:source", ["Google"]])), source);
    assert_eq!(by(json!(["time:day"]), json!(["is", "visit:source", ["Google"]])), source);
    assert_eq!(by(json!([]), json!(["is", "visit:source", ["Google", "Bing"]])), None);
    assert_eq!(by(json!([]), json!(["is_not", "visit:source", ["Google"]])), None);
    assert_eq!(by(json!([]), json!(["contains", "visit:source", ["Google"]])), None);
    let insensitive = json!(["is", "visit:source", ["google"], { "case_sensitive": false }]);
    assert_eq!(by(json!([]), insensitive), None);
    // A blank is kept with what is called as it is.
    assert_eq!(by(json!([]), json!(["is", "visit:source", [""]])), None);
    // By page a visit is told where it entered; with a filter on a page, wherever it was.
    let page = json!(["is", "event:page", ["/a"]]);
    assert_eq!(by(json!([]), page.clone()), Some(By::Field(Field::Page)));
    assert_eq!(by(json!(["event:page"]), page.clone()), None);
    let page = query(&json!({ "filters": [page] }));
    assert_eq!(By::of(&page, Of::Events), Some(By::Field(Field::Page)));
    let named = |operator: &str, value: &str| {
        by(json!([]), json!([operator, "visit:utm_campaign", [value]]))
    };
    assert_eq!(named("is_not", "(not set)"), Some(By::Having(Field::UtmCampaign)));
    assert_eq!(by::IS_SET, format!(" NOT IN ('', '{}')", crate::query::dimension::NOT_SET));
    assert_eq!(named("is_not", "spring"), None);
    // What a filter finds under the label is what is kept as the blank.
    assert_eq!(named("is", "(not set)"), Some(By::Field(Field::UtmCampaign)));
    let not = json!(["not", ["is", "visit:source", ["Google"]]]);
    assert_eq!(by(json!(["visit:source"]), not), None);
}

#[test]
fn what_no_number_tells_is_counted_from_rows_of_visits_and_what_these_do_not_tell_from_events() {
    let tables = |parts: Value| {
        let statement = compile(&query(&parts), &closed(1..=31));
        let reads = |table: &str| statement.text().contains(table);
        (
            reads(" FROM daily "),
            reads(" FROM visit_days "),
            statement.text().matches("events FINAL").count(),
        )
    };
    let google = json!([["is", "visit:source", ["Google"]]]);
    let by =
        |dimension: &str, filters: &Value| json!({ "dimensions": [dimension], "filters": filters });
    // Of visits the last day is counted from events.
    assert_eq!(tables(by("visit:country", &google)), (false, true, 1));
    assert_eq!(tables(by("event:page", &google)), (false, true, 0));
    // Beside added up days only the last of them is read by its visits: some may go on into the next.
    assert_eq!(tables(by("visit:source", &google)), (true, true, 1));
    assert_eq!(tables(json!({ "metrics": ["visit_duration_p50"] })), (false, true, 1));
    let page = json!([["is", "event:page", ["/a"]]]);
    assert_eq!(tables(by("visit:country", &page)), (false, true, 0));
    assert_eq!(tables(by("event:props:plan", &google)), (false, true, 0));
    let property = json!([["is_not", "event:props:plan", ["paid"]]]);
    assert_eq!(tables(by("event:page", &property)), (false, true, 0));
    let sum = json!({ "metrics": ["sum:event:props:price"], "filters": property });
    assert_eq!(tables(sum), (false, false, 1));
    let hours = json!({ "dimensions": ["event:page", "time:hour"], "filters": google });
    assert_eq!(tables(hours), (false, false, 1));
    // In which hours what happened is kept, beside pages of visits too, but not how often in each.
    let pages = json!([["is", "event:page", ["/a", "/b"]]]);
    let hours = json!({ "dimensions": ["time:hour"], "filters": pages });
    assert_eq!(tables(hours.clone()), (false, true, 0));
    let also = |key: &str, value: Value| {
        let mut parts = hours.clone();
        parts[key] = value;
        parts
    };
    assert_eq!(tables(also("metrics", json!(["pageviews"]))), (false, false, 1));
    assert_eq!(tables(also("dimensions", json!(["time:hour_of_day"]))), (false, false, 1));
    let names = json!([["is", "event:name", ["pageview", "404"]]]);
    assert_eq!(tables(also("filters", names)), (false, true, 0));
    assert_eq!(tables(also("filters", page.clone())), (true, false, 0));
    // Of visits the last day goes on after it only where they are not told by the hour.
    assert_eq!(tables(also("filters", google)), (true, false, 0));
    // Of the days that are open they are counted, of visits beside rows of those that ended.
    let tables = |parts: Value| {
        let text = compile(&query(&parts), &closed(1..=29)).text().to_owned();
        (text.contains(" FROM daily "), text.matches("events FINAL").count())
    };
    for metric in ["visitors", "pageviews"] {
        let hours = |filters: &Value| json!({ "dimensions": ["time:hour"], "metrics": [metric], "filters": filters });
        assert_eq!(tables(hours(&json!([]))), (true, 1), "{metric}");
        assert_eq!(tables(hours(&page)), (metric == "visitors", 1), "{metric}");
    }
}

#[test]
fn of_visits_that_had_an_event_the_first_day_is_counted_as_well() {
    let query = query(&json!({ "date_range": ["2024-05-01", "2024-05-06"] }));
    let first = ["01 00:00:00", "01 23:59:59", ""];
    let last = ["06 00:00:00", "06 23:59:59", "05 00:00:00"];
    check(&query, &closed(1..=6), Told::VisitsWith, &[2, 3, 4, 5], &[first, last]);
}

#[test]
fn one_goal_that_is_asked_for_is_added_up_and_two_are_not() {
    let goal = |name: &str, kind| Goal { name: name.into(), kind, currency: None };
    let mut site = site();
    site.goals = vec![
        goal("Signup", GoalKind::Event("Signup".into())),
        goal("Visit", GoalKind::Page("/a".into())),
        goal("Read", GoalKind::Scroll("/a".into(), 50)),
    ];
    let by = |dimensions: Value, goals: &[&str]| {
        let filters = json!([["is", "event:goal", goals]]);
        By::of(
            &query_of(&site, &json!({ "dimensions": dimensions, "filters": filters })),
            Of::Events,
        )
    };
    assert_eq!(by(json!([]), &["Signup"]), Some(By::Goals));
    assert_eq!(by(json!(["time:day"]), &["Visit"]), Some(By::Goals));
    assert_eq!(by(json!(["time:hour"]), &["Visit"]), Some(By::HourOfGoal));
    assert_eq!(by(json!([]), &["Signup", "Visit"]), None);
    // Scrolling is no event, of which a number could be told.
    assert_eq!(by(json!([]), &["Read"]), None);
    assert_eq!(by(json!(["visit:source"]), &["Signup"]), None);
}

#[test]
fn attention_is_read_off_lists_of_pages_unless_other_fields_of_events_are_asked_for() {
    let reads = |parts: Value| {
        let text = compile(&query(&parts), &closed(1..=31)).text().to_owned();
        (text.contains("attention_pages"), text.contains("happened"))
    };
    let attention = |dimensions: Value, filters: Value| json!({ "metrics": ["time_on_page", "scroll_depth"], "dimensions": dimensions, "filters": filters });
    let google = json!(["is", "visit:source", ["Google"]]);
    let pages = json!(["contains", "event:page", ["/a"]]);
    let host = json!(["is", "event:hostname", ["example.com"]]);
    assert_eq!(reads(attention(json!(["event:page"]), json!([google]))), (true, false));
    assert_eq!(reads(attention(json!([]), json!([google, pages]))), (true, false));
    assert_eq!(reads(attention(json!(["visit:source"]), json!([pages]))), (true, false));
    assert_eq!(reads(attention(json!(["event:page"]), json!([host]))), (false, true));
    // Of a median each visit has to be known.
    let median = json!({ "metrics": ["time_on_page_p50"], "dimensions": ["event:page"], "filters": [google] });
    assert_eq!(reads(median), (false, true));
}

#[test]
fn what_a_visit_as_a_whole_has_is_looked_to_in_its_rows() {
    let looks_up = |parts: Value| {
        compile(&query(&parts), &closed(1..=31)).text().contains("session_id IN (SELECT visit")
    };
    let entry = json!(["is", "visit:entry_page", ["/a"]]);
    assert!(!looks_up(json!({ "dimensions": ["event:page"], "filters": [entry] })));
    assert!(!looks_up(json!({ "metrics": ["events"], "filters": [entry] })));
    assert!(looks_up(json!({ "dimensions": ["event:page"], "filters": [["not", entry]] })));
    // Notable events have it as well.
    let name = json!(["is", "event:name", ["Signup"]]);
    assert!(!looks_up(json!({ "dimensions": ["event:name"], "filters": [entry, name] })));
}

#[test]
fn by_one_field_of_events_a_row_of_visits_has_a_short_list_and_a_lone_visitor_is_counted_once() {
    let reads = |parts: Value| {
        let text = compile(&query(&parts), &closed(1..=31)).text().to_owned();
        let lists = ["by_page.", "by_name.", "happened."].into_iter();
        let read: Vec<&str> = lists.filter(|list| text.contains(list)).collect();
        let is_alone = ["sum(lone)", "sum(counted0)"].iter().any(|sum| text.contains(sum));
        (read, text.contains("ARRAY JOIN"), is_alone)
    };
    let google = json!(["is", "visit:source", ["Google"]]);
    let page = json!(["contains", "event:page", ["/a", "/b"]]);
    let name = json!(["is", "event:name", ["Signup", "pageview"]]);
    let by =
        |dimensions: Value, filters: Value| json!({ "dimensions": dimensions, "filters": filters });
    let joined = |list: &'static str| (vec![list], true, true);
    assert_eq!(reads(by(json!(["event:page"]), json!([google]))), joined("by_page."));
    assert_eq!(reads(by(json!(["event:name"]), json!([google, name]))), joined("by_name."));
    // Grouped by something else, a visit may have several of the values that are asked for, and counts once.
    let summed = |list: &'static str| (vec![list], false, true);
    assert_eq!(reads(by(json!(["visit:os"]), json!([page]))), summed("by_page."));
    assert_eq!(reads(by(json!(["visit:os"]), json!([["not", name], google]))), summed("by_name."));
    // One and the same event is to meet what is asked of two fields, or of the visit and of it.
    let all = (vec!["happened."], true, false);
    assert_eq!(reads(by(json!(["visit:os"]), json!([page, name]))), all);
    assert_eq!(reads(by(json!(["event:name"]), json!([page]))), all);
    assert_eq!(reads(by(json!(["visit:os"]), json!([["or", [page, google]]]))), all);
    // What a visit did is found in the lists as well.
    let done = json!([["has_done", page], google]);
    assert_eq!(reads(by(json!(["visit:exit_page"]), done)), (vec!["by_page."], false, true));
}

#[test]
fn a_visitor_is_counted_at_the_first_visit_of_a_row_of_the_report_where_visits_have_alike_what_it_is_told_by()
 {
    let alike = |parts: Value| -> Option<String> {
        let text = compile(&query(&parts), &closed(1..=31)).text().to_owned();
        let (counted, _) = text.split_once(" = 0) AS counted0")?;
        Some(counted.rsplit_once(", (")?.1.to_owned())
    };
    let by = |dimensions: Value, filters: Value| {
        alike(json!({ "dimensions": dimensions, "filters": filters }))
    };
    let some = |text: &str| Some(text.to_owned());
    // Of one value alone there are numbers.
    let firefox = json!(["is", "visit:browser", ["Firefox", "Chrome"]]);
    let google = json!(["is", "visit:source", ["Google"]]);
    let entry = json!(["is", "visit:entry_page", ["/a"]]);
    // What an id is made of all visits have alike, whatever is asked of it.
    assert_eq!(by(json!([]), json!([firefox])), some("d.earlier"));
    assert_eq!(by(json!(["time:month"]), json!([["not", firefox]])), some("d.earlier"));
    let some_place = json!(["or", [firefox, ["contains", "visit:country_name", ["an"]]]]);
    assert_eq!(by(json!(["visit:screen"]), json!([some_place])), some("d.earlier"));
    assert_eq!(by(json!(["visit:exit_page"]), json!([firefox])), some("d.earlier_exit_page"));
    // Earlier visits are in the report as well if they have what is asked for, and in its row if they have its value.
    assert_eq!(by(json!(["visit:browser"]), json!([google])), some("d.earlier_source"));
    assert_eq!(
        by(json!([]), json!([google, entry])),
        some("bitAnd(d.earlier_source, d.earlier_entry_page)")
    );
    let with_campaign = json!(["is_not", "visit:utm_campaign", ["(not set)"]]);
    assert_eq!(by(json!([]), json!([firefox, with_campaign])), some("d.earlier_with_utm_campaign"));
    assert_eq!(
        by(json!(["visit:utm_campaign"]), json!([firefox, with_campaign])),
        some("d.earlier_utm_campaign")
    );
    let not_google = json!(["is_not", "visit:source", ["Google"]]);
    assert_eq!(
        by(json!(["visit:source", "visit:os"]), json!([not_google])),
        some("d.earlier_source")
    );
    // Of other visits it is not told whether they have another value, or one of several, or what is no value of a row.
    assert_eq!(by(json!(["visit:os"]), json!([not_google])), None);
    assert_eq!(by(json!([]), json!([["is", "visit:source", ["Google", "Bing"]]])), None);
    assert_eq!(by(json!([]), json!([["contains", "visit:source", ["oo"]]])), None);
    assert_eq!(by(json!(["visit:source"]), json!([["contains", "visit:source", ["irect"]]])), None);
    assert_eq!(
        by(json!(["visit:source"]), json!([["is_not", "visit:source", [""]], firefox])),
        None
    );
    // Nor what else they did, and when.
    assert_eq!(by(json!(["event:page"]), json!([firefox])), None);
    assert_eq!(by(json!(["time:hour"]), json!([firefox])), None);
    assert_eq!(by(json!([]), json!([["has_done", ["is", "event:page", ["/a"]]], firefox])), None);
    assert_eq!(by(json!(["visit:os"]), json!([["is", "event:page", ["/a"]], firefox])), None);
}

#[test]
fn custom_events_and_what_meets_goals_are_read_of_rows_of_their_own_where_nothing_else_counts() {
    let goal = |name: &str, kind| Goal { name: name.into(), kind, currency: None };
    let goals = vec![
        goal("Signup", GoalKind::Event("Signup".into())),
        goal("Half", GoalKind::Scroll("/a".into(), 50)),
    ];
    let site = Site { goals, ..site() };
    let closed_with = |set: u64| -> Closed {
        let goals = GoalsCounted { set, version: 1000 };
        (1..=31).map(|day| (may(day), Counting { goals, ..counting(day, false) })).collect()
    };
    let [counted, stale] = [set_of(&site.goals), 1].map(closed_with);
    let reads = |closed: &Closed, dimension: &str, filters: Value| {
        let parts = json!({ "dimensions": [dimension], "filters": filters });
        let text = compile(&query_of(&site, &parts), closed).text().to_owned();
        let tables = ["visit_days", "notable_events", "events FINAL"].into_iter();
        tables.filter(|table| text.contains(&format!(" FROM {table} "))).collect::<Vec<_>>()
    };
    let google = json!(["is", "visit:source", ["Google"]]);
    let page = json!(["is", "event:page", ["/a"]]);
    let custom = json!(["is_not", "event:name", ["pageview"]]);
    let signup = json!(["is", "event:goal", ["Signup"]]);
    let notable = ["notable_events"];
    assert_eq!(reads(&counted, "event:goal", json!([google])), notable);
    assert_eq!(reads(&counted, "visit:os", json!([page, signup])), notable);
    assert_eq!(reads(&counted, "event:name", json!([page, custom])), notable);
    let paid = json!(["is", "event:props:plan", ["paid"]]);
    assert_eq!(reads(&counted, "event:page", json!([paid])), notable);
    assert_eq!(reads(&counted, "event:props", json!([page, paid])), notable);
    assert_eq!(reads(&counted, "time:hour", json!([page, paid])), notable);
    let attention = json!({ "metrics": ["time_on_page"], "filters": [paid, page] });
    let attention = compile(&query_of(&site, &attention), &counted);
    assert!(attention.text().contains(" FROM notable_events "), "{}", attention.text());
    // Of attention that is alike it is not told when, and how much of it, went as deep as the deepest.
    let half = json!(["is", "event:goal", ["Half"]]);
    assert_eq!(reads(&counted, "time:hour", json!([half])), ["events FINAL"]);
    let deep =
        json!({ "metrics": ["time_on_page"], "dimensions": ["event:page"], "filters": [half] });
    let deep = compile(&query_of(&site, &deep), &counted);
    assert!(deep.text().contains(" FROM events FINAL "), "{}", deep.text());
    // The visits that met a goal, whatever is counted of them.
    let done = json!([["has_done", signup]]);
    assert_eq!(reads(&counted, "event:page", done), ["visit_days", "notable_events"]);
    let visits = ["visit_days"];
    assert_eq!(reads(&counted, "visit:os", json!([["or", [custom, google]]])), visits);
    // What met other goals is not what meets these; but no custom event depends on them.
    assert_eq!(reads(&stale, "event:goal", json!([google])), visits);
    assert_eq!(reads(&stale, "visit:os", json!([page, signup])), visits);
    assert_eq!(reads(&stale, "event:name", json!([page, custom])), notable);
}

#[test]
fn a_day_whose_visits_may_go_on_tells_events_and_the_visits_that_did_not() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let days = (1..=29).map(|day| (may(day), counting(day, false)));
    let closed: Closed = days.chain([(may(30), counting(30, true))]).collect();
    let query = query(&json!({}));
    let split = |told| Split::of(&query, &closed, told).unwrap();
    assert_eq!(split(Told::Events).closed.last(), Some(&(may(30), counting(30, true))));
    let visits = split(Told::Visits);
    assert_eq!(visits.closed.last(), Some(&(may(29), counting(29, false))));
    let [stretch] = visits.stretches.as_slice() else { panic!("{visits:?}") };
    assert_eq!(stretch.from, start_of(may(30), &zone));
    assert_eq!(stretch.going_on, Some((may(30), 30)));
    assert_eq!(stretch.counted_from, start_of(may(31), &zone));
    // The hours of visits that did not go on are read off their rows as well, unless the report ends with the day.
    let [hours] = &split(Told::Hours).stretches[..] else { panic!("one stretch") };
    assert_eq!((&hours.going_on, hours.counted_from), (&stretch.going_on, stretch.counted_from));
    let until_then = query_of(&site(), &json!({ "date_range": ["2024-05-01", "2024-05-30"] }));
    let [hours] = &Split::of(&until_then, &closed, Told::Hours).unwrap().stretches[..] else {
        panic!("one stretch")
    };
    assert_eq!((hours.going_on, hours.counted_from), (None, hours.from));
    // A visit that went on from a first such day into a second one has a row of either.
    let closed: Closed = closed.iter().chain([(may(29), counting(29, true))]).collect();
    let visits = Split::of(&query, &closed, Told::Visits).unwrap();
    let [stretch] = visits.stretches.as_slice() else { panic!("{visits:?}") };
    assert_eq!((stretch.from, stretch.going_on), (start_of(may(29), &zone), Some((may(29), 29))));
    assert_eq!(stretch.counted_from, start_of(may(30), &zone));
}

#[test]
fn a_day_is_made_of_the_days_of_utc_around_it() {
    let days = |zone: &str, goes_on: bool| {
        let days: Vec<i8> =
            made_of(may(10), &TimeZone::get(zone).unwrap(), goes_on).map(Date::day).collect();
        days
    };
    assert_eq!(days("Etc/UTC", false), [8, 9, 10, 11]);
    assert_eq!(days("Pacific/Auckland", false), [7, 8, 9, 10, 11]);
    assert_eq!(days("America/Los_Angeles", false), [8, 9, 10, 11, 12]);
    assert_eq!(days("Etc/UTC", true), [8, 9, 10]);
    assert_eq!(days("America/Los_Angeles", true), [8, 9, 10, 11]);
}

#[test]
fn days_are_made_of_the_partitions_around_them_alone() {
    let kinds = [GoalKind::Event("Signup".into()), GoalKind::Page("/a*".into())];
    let goals = kinds.map(|kind| Goal { name: String::new(), kind, currency: None });
    let site = Site { goals: goals.into(), ..site() };
    for (goes_on, last) in [(false, 10), (true, 10), (false, 28)] {
        let making = Making { site: &site, first: may(10), last: may(last), version: 1, goes_on };
        for statement in making.statements().iter().chain(&making.of_goals(vec![1])) {
            assert_eq!(readings_of_all_partitions(statement.text(), true), [""; 0]);
        }
    }
}

#[test]
fn days_tell_of_goals_that_were_counted_whatever_they_are_called_now() {
    let goal = |name: &str, kind| Goal { name: name.into(), kind, currency: None };
    let [signup, page] = [GoalKind::Event("Signup".into()), GoalKind::Page("/a*".into())];
    let mut site =
        Site { goals: vec![goal("One", signup.clone()), goal("Two", page.clone())], ..site() };
    let set = set_of(&site.goals);
    let days = (1..=31).map(|day: i8| {
        let goals = GoalsCounted { set, version: 1000 + u64::from(day.unsigned_abs()) };
        (may(day), Counting { goals, ..counting(day, false) })
    });
    let closed: Closed = days.collect();
    let by_goal = |site: &Site, filters: Value| {
        let parts = json!({ "dimensions": ["event:goal"], "filters": filters });
        let statement = compile(&query_of(site, &parts), &closed);
        statement.text().contains(" FROM daily ")
    };
    assert!(by_goal(&site, json!([])));
    assert!(by_goal(&site, json!([["is", "event:goal", ["Two"]]])));
    assert!(!by_goal(&site, json!([["is", "visit:source", ["Google"]]])));
    site.goals[0].name = "Three".into();
    site.goals.reverse();
    assert!(by_goal(&site, json!([])), "the name and the order of goals are no matter of days");
    site.goals[0].currency = Some("EUR".into());
    assert!(!by_goal(&site, json!([])), "of another currency no day has revenue");
    site.goals = vec![goal("One", signup), goal("Two", page.clone()), goal("Again", page)];
    assert!(!by_goal(&site, json!([])), "two goals that are one and the same are two rows");
}
