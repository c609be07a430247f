//! Events of closed days that are notable: custom events, and what meets a goal. They are few beside page views and attention, and have
//! rows of their own (`notable_events`), which stand in for what happened in [`rows`](super::rows) where nothing else is asked for.
//!
//! What meets a goal depends on the site's goals, so these rows are of the counting of the day by goal: see [`super::goals`].

use super::super::conditions::{COUNTED, meets};
use super::columns::HAPPENED;
use super::rows::{kept_column, kept_fields};
use super::{Closed, set_of};
use crate::event::PAGEVIEW;
use crate::query::Query;
use crate::query::dimension::{Dimension, Field};
use crate::query::filter::{Comparison, Filter, Subject};
use crate::query::statement::{Sql, sql};
use crate::site::goal::Goal;

/// Of what happened, what a row does not have: attention is added up over the visit's day.
const NOT_KEPT: &str = "engagement_ms";

/// Whether all events that the query counts are notable, and known to be. Of its filters these are met by every one of them.
pub(in crate::query::compile) fn are_told(
    query: &Query,
    common: &[&Filter],
    closed: &Closed,
) -> bool {
    let by_goal = query.dimensions.iter().any(|dimension| matches!(dimension, Dimension::Goal(_)));
    if by_goal || common.iter().any(|filter| asks_for_goals(filter)) {
        let set = set_of(&query.goals);
        return closed.iter().all(|(_, counting)| counting.goals.set == set);
    }
    common.iter().any(|filter| asks_for_no_pageviews(filter))
}

/// Whether whatever meets the filter meets a goal. Those on goals stand by themselves.
fn asks_for_goals(filter: &Filter) -> bool {
    matches!(filter, Filter::Test(test) if matches!(test.subject, Subject::Goal(_)))
}

/// Whether no page view meets the filter.
fn asks_for_no_pageviews(filter: &Filter) -> bool {
    match filter {
        Filter::All(filters) => filters.iter().any(asks_for_no_pageviews),
        Filter::Any(filters) => filters.iter().all(asks_for_no_pageviews),
        Filter::Not(_) | Filter::Done(..) => false,
        Filter::Test(test) => {
            let names = |is_it: fn(&str) -> bool| test.values.iter().any(|value| is_it(value));
            test.subject == Subject::Field(Field::EventName)
                && test.comparison == Comparison::Is
                && match test.negated {
                    true => names(|name| name == PAGEVIEW),
                    false => !names(|name| name.eq_ignore_ascii_case(PAGEVIEW)),
                }
        }
    }
}

/// The columns of `notable_events` that tell of the event and of its visit, by their names in `visit_days`.
fn columns() -> impl Iterator<Item = &'static str> {
    let fields = kept_fields().filter(|field| !field.is_of_visit()).map(kept_column);
    ["session_id", "event_id", "visitor_id"].into_iter().chain(fields)
}

/// What a row has of the list of what happened.
pub(super) fn of_list() -> impl Iterator<Item = &'static str> {
    HAPPENED.into_iter().filter(|column| *column != NOT_KEPT)
}

/// What makes the rows of days, of `visit_days` of which the condition is met. `day` and `version` are those of the rows that are made.
pub(super) fn made(version: Sql, condition: Sql, goals: &[Goal]) -> Sql {
    let custom = sql!["name != '", PAGEVIEW, "' AND ", COUNTED];
    let notable = Sql::any(std::iter::once(custom).chain(goals.iter().map(meets)).collect());
    let all = || {
        let names = columns().chain(of_list()).map(Sql::from);
        Sql::join(["site_id", "day"].into_iter().map(Sql::from).chain(names), ", ")
    };
    let listed = of_list().map(|column| sql!["happened.", column, " AS ", column]);
    sql![
        "INSERT INTO notable_events (",
        all(),
        ", version) SELECT ",
        all(),
        ", ",
        version,
        " FROM visit_days ARRAY JOIN ",
        Sql::join(listed, ", "),
        " WHERE ",
        condition,
        " AND (",
        notable,
        ")",
    ]
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::{Value, json};

    use super::*;
    use crate::query::Known;
    use crate::site::{Site, SiteId};

    fn filter(filter: &Value) -> Filter {
        let query = json!({
            "site_id": "example.com", "metrics": ["visitors"], "date_range": "day", "filters": [filter],
        });
        let site = Site::new(SiteId(7), "example.com", TimeZone::UTC);
        let known = Known::new(&site, "2024-06-15T12:00:00Z".parse().unwrap());
        Query::parse(&query, &known).unwrap().filters.remove(0)
    }

    #[test]
    fn a_filter_is_known_to_leave_no_pageviews_where_it_can_be_seen() {
        let name = |operator: &str, names: &[&str]| json!([operator, "event:name", names]);
        let leaves_none = |wanted: &Value| asks_for_no_pageviews(&filter(wanted));
        assert!(leaves_none(&name("is", &["Signup", "404"])));
        assert!(leaves_none(&name("is_not", &["pageview"])));
        assert!(leaves_none(&json!(["and", [name("is", &["Signup"]), name("contains", &["a"])]])));
        assert!(leaves_none(&json!(["or", [name("is", &["Signup"]), name("is", &["404"])]])));
        assert!(!leaves_none(&name("is", &["Signup", "pageview"])));
        assert!(!leaves_none(&name("is_not", &["Signup"])));
        assert!(!leaves_none(&name("contains", &["Sign"])));
        assert!(!leaves_none(&json!(["not", name("is", &["Signup"])])));
        assert!(!leaves_none(&json!(["or", [name("is", &["Signup"]), name("contains", &["a"])]])));
        assert!(!leaves_none(&json!(["has_done", name("is", &["Signup"])])));
        assert!(!leaves_none(&json!(["is", "event:page", ["/a"]])));
    }
}
