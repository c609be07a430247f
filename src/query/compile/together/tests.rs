//! Which questions go together.

use jiff::civil::date;
use serde_json::{Value, json};

use super::super::tests::{query_of, site};
use super::Together;
use crate::query::{Closed, Counting, GoalsCounted, Query, set_of};

fn closed() -> Closed {
    let goals = GoalsCounted { set: set_of(&[]), version: 1 };
    (1..=31)
        .map(|day| (date(2024, 5, day), Counting { version: 1, goes_on: false, goals }))
        .collect()
}

/// How many statements read for how many of the questions.
fn read(questions: &[Value], closed: &Closed) -> (usize, usize) {
    let questions: Vec<Query> =
        questions.iter().map(|parts| query_of(&site(), parts).unwrap()).collect();
    let together = Together::of(&questions, closed);
    let read = (0..questions.len()).filter(|place| together.reads(*place)).count();
    (together.statements().count(), read)
}

fn by(dimension: &str) -> Value {
    json!({ "dimensions": [dimension] })
}

fn under(filter: &Value, questions: &[Value]) -> Vec<Value> {
    let with = |question: &Value| {
        let mut question = question.clone();
        question["filters"] = json!([filter]);
        question
    };
    questions.iter().map(with).collect()
}

#[test]
fn a_page_is_read_by_a_statement_for_visits_and_one_for_events() {
    let campaigns = json!({
        "dimensions": ["visit:utm_campaign"], "metrics": ["visitors", "percentage"],
        "filters": [["is_not", "visit:utm_campaign", ["(not set)"]]],
    });
    let page = [
        json!({ "metrics": ["visitors", "pageviews", "bounce_rate"] }),
        by("time:day"),
        by("visit:source"),
        json!({ "dimensions": ["visit:country", "visit:country_name"] }),
        by("event:page"),
        json!({ "dimensions": ["event:name"], "metrics": ["visitors", "events"] }),
        campaigns,
    ];
    assert_eq!(read(&page, &closed()), (2, 7));
    // Where nothing is closed as well: then all is counted in one go.
    assert_eq!(read(&page[..4], &Closed::none()), (2, 4));
}

#[test]
fn a_question_that_goes_with_no_other_is_left_to_itself() {
    assert_eq!(read(&[by("visit:source")], &closed()), (0, 0));
    let another =
        json!({ "dimensions": ["visit:browser"], "date_range": ["2024-05-02", "2024-05-31"] });
    assert_eq!(read(&[by("visit:source"), another], &closed()), (0, 0));
    let odd = [
        by("time:hour"),
        by("visit:city"),
        json!({ "metrics": ["time_on_page"], "dimensions": ["event:page"] }),
        json!({ "metrics": ["bounce_rate"], "dimensions": ["event:page"] }),
        json!({ "metrics": ["visitors", "engagement_rate"] }),
        json!({ "metrics": ["visitors", "percentage"], "dimensions": ["visit:os"], "order_by": [["percentage", "asc"]] }),
        json!({ "dimensions": ["visit:os"], "order_by": [["visit:os", "desc"]] }),
    ];
    assert_eq!(read(&odd, &closed()), (0, 0));
    let [first, ..] = odd;
    assert_eq!(read(&[by("visit:source"), first, by("visit:os")], &closed()), (1, 2));
}

#[test]
fn a_question_of_several_parts_is_read_by_one_statement_for_visits_and_one_for_events() {
    let shares = json!({ "metrics": ["visitors", "percentage"], "dimensions": ["visit:source"] });
    assert_eq!(read(&[shares], &closed()), (1, 1));
    let figures = json!({ "metrics": ["visitors", "pageviews", "bounce_rate"] });
    assert_eq!(read(&[figures], &closed()), (2, 1));
}

#[test]
fn what_conversions_are_shares_of_goes_with_the_figures() {
    let goals = json!({ "metrics": ["visitors", "conversion_rate"], "dimensions": ["event:goal"] });
    let figures = json!({ "metrics": ["visitors", "visits"] });
    // The goals have a statement of their own, and the figures one with what goals are shares of.
    assert_eq!(read(&[goals.clone(), figures], &closed()), (2, 2));
    // By themselves they have two, at the same time.
    assert_eq!(read(&[goals, by("event:page")], &closed()), (2, 1));
    let by_rate = json!({
        "metrics": ["visitors", "conversion_rate"], "dimensions": ["event:goal"], "order_by": [["conversion_rate", "desc"]],
    });
    assert_eq!(read(&[by_rate, by("visit:source")], &closed()), (0, 0));
}

#[test]
fn under_a_filter_events_are_counted_together_for_those_who_count_the_same() {
    let google = json!(["is", "visit:source", ["Google"]]);
    let of_visits = under(&google, &[by("visit:browser"), by("visit:os"), by("visit:device")]);
    assert_eq!(read(&of_visits, &closed()), (1, 3));
    let of_events = under(&google, &[by("event:page"), by("event:page")]);
    assert_eq!(read(&of_events, &closed()), (1, 2));
    // Pages have a list of their own, which other fields are not in.
    let of_others = under(&google, &[by("event:page"), by("event:hostname")]);
    assert_eq!(read(&of_others, &closed()), (0, 0));
    let views = json!({ "dimensions": ["event:name"], "metrics": ["events"] });
    assert_eq!(read(&under(&google, &[by("event:page"), views.clone()]), &closed()), (0, 0));
    // What has properties is read once, whatever is counted of it.
    let paid = json!(["is", "event:props:plan", ["paid"]]);
    let of_all = under(&paid, &[by("event:page"), views.clone(), by("visit:browser")]);
    assert_eq!(read(&of_all, &closed()), (1, 3));
    let free = under(&json!(["is", "event:props:plan", ["free"]]), &[by("event:page"), views]);
    assert_eq!(read(&[of_all, free].concat(), &closed()), (2, 5));
}

#[test]
fn whether_a_row_is_wanted_is_told_by_the_value_that_it_is_grouped_by_unless_a_label_hides_that() {
    let groups = |campaign: Value| {
        let google = json!(["is", "visit:source", ["Google"]]);
        let mut campaigns = by("visit:utm_campaign");
        campaigns["filters"] = json!([google, campaign]);
        let questions = [under(&google, &[by("visit:browser")]), vec![campaigns]].concat();
        let questions: Vec<Query> =
            questions.iter().map(|parts| query_of(&site(), parts).unwrap()).collect();
        let together = Together::of(&questions, &closed());
        let text = together.statements().next().unwrap().text().to_owned();
        let (_, sets) = text.rsplit_once("GROUPING SETS (").unwrap();
        sets.split_once("))").unwrap().0.to_owned()
    };
    assert_eq!(groups(json!(["is_not", "visit:utm_campaign", ["(not set)"]])), "(x0), (x1");
    // A campaign may be called "(not set)", as one that is not known is.
    assert_eq!(groups(json!(["is_not", "visit:utm_campaign", ["spring"]])), "(x0), (x1, x2");
}
