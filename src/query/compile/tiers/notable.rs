//! Events of closed days that are notable: custom events, what meets a goal, and what has properties. They are few beside page views
//! and attention, and have rows of their own (`notable_events`), which stand in for what happened in [`rows`](super::rows) where nothing
//! else is asked for.
//!
//! What meets a goal depends on the site's goals, so these rows are of the counting of the day by goal: see [`super::goals`].

use super::super::conditions::{COUNTED, meets};
use super::super::events::{exclude_each_other, goal_met};
use super::columns::{HAPPENED, HOURS, PROPS};
use super::goals::by_key;
use super::rows::{kept_column, kept_fields};
use super::{Closed, set_of};
use crate::event::PAGEVIEW;
use crate::query::Query;
use crate::query::dimension::{Dimension, Field};
use crate::query::filter::{Comparison, Filter, Subject};
use crate::query::statement::{Sql, sql};
use crate::site::goal::Goal;

/// Whether something of the visit that stands before has the same name, or meets the same goal. Of page views it may be one that is
/// not notable.
pub(super) const NAME_AGAIN: &str = "name_again";
pub(super) const GOAL_AGAIN: &str = "goal_again";

/// Whether it is told of the goals which rows meet one again: where a row meets one alone. It is the same for sets of goals that are: see
/// [`set_of`].
pub(super) fn are_told_again(goals: &[Goal]) -> bool {
    let mut goals = by_key(goals);
    goals.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    goals.dedup_by(|one, other| one.name == other.name);
    !goals.is_empty() && exclude_each_other(&goals)
}

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
    common.iter().any(|filter| asks_for_no_pageviews(filter) || asks_for_properties(filter))
}

/// Whether whatever meets the filter has a property: then it is notable, also if it is attention.
pub(in crate::query::compile) fn asks_for_properties(filter: &Filter) -> bool {
    match filter {
        Filter::All(filters) => filters.iter().any(asks_for_properties),
        Filter::Any(filters) => filters.iter().all(asks_for_properties),
        Filter::Not(_) | Filter::Done(..) => false,
        Filter::Test(test) => {
            let (_, wants_blank) = test.values_and_blank();
            let asks = match test.comparison {
                Comparison::Is => !test.negated && !wants_blank,
                Comparison::IsSet => !test.negated,
                // These are about events that have it, also where they are negated.
                Comparison::Contains
                | Comparison::StartsWith
                | Comparison::EndsWith
                | Comparison::Matches
                | Comparison::MatchesWildcard => true,
            };
            matches!(test.subject, Subject::Property(_)) && asks
        }
    }
}

/// Whether whatever meets the filter meets a goal. Those on goals stand by themselves.
fn asks_for_goals(filter: &Filter) -> bool {
    matches!(filter, Filter::Test(test) if matches!(test.subject, Subject::Goal(_)))
}

/// Whether no page view meets the filter.
pub(in crate::query) fn asks_for_no_pageviews(filter: &Filter) -> bool {
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
    ["session_id", "event_id", "visitor_id"].into_iter().chain(kept_fields().map(kept_column))
}

/// What makes the rows of days, of `visit_days` of which the condition is met. `day` and `version` are those of the rows that are made.
pub(super) fn made(version: Sql, condition: Sql, goals: &[Goal]) -> Sql {
    let custom = sql!["name != '", PAGEVIEW, "' AND ", COUNTED];
    let of_all = [custom, "notEmpty(props)".into()].into_iter();
    let notable = Sql::any(of_all.chain(goals.iter().map(meets)).collect());
    let beside = [HOURS, PROPS, ("place", "arrayEnumerate(happened)")];
    let all = || {
        let names = columns().chain(HAPPENED).chain(beside.map(|(name, _)| name)).map(Sql::from);
        Sql::join(["site_id", "day"].into_iter().map(Sql::from).chain(names), ", ")
    };
    let listed = HAPPENED.map(|column| sql!["happened.", column, " AS ", column]);
    let listed = listed.into_iter();
    let listed = listed.chain(beside.map(|(name, list)| sql![list, " AS ", name]));
    // Of what comes again in a visit the first has the number 1.
    let again = [
        (NAME_AGAIN, "happened.name".into()),
        (
            GOAL_AGAIN,
            sql![
                "arrayMap((name, pathname, scroll_depth) -> ",
                goal_met(&by_key(goals)),
                ", happened.name, happened.pathname, happened.scroll_depth)"
            ],
        ),
    ];
    let again = again.into_iter().filter(|(name, _)| *name != GOAL_AGAIN || are_told_again(goals));
    let again: Vec<(&str, Sql)> = again.collect();
    let listed = listed.chain(again.iter().map(|(name, of)| {
        sql!["arrayMap(number -> number > 1, arrayEnumerateUniq(", of, ")) AS ", *name]
    }));
    let again = || Sql::join(again.iter().map(|(name, _)| sql![", ", *name]), "");
    sql![
        "INSERT INTO notable_events (",
        all(),
        again(),
        ", last, version) SELECT ",
        all(),
        again(),
        ", first + duration, ",
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
    fn a_filter_is_known_to_leave_events_with_properties_where_it_can_be_seen() {
        let plan = |operator: &str, values: &[&str]| json!([operator, "event:props:plan", values]);
        let leaves_such = |wanted: &Value| asks_for_properties(&filter(wanted));
        assert!(leaves_such(&plan("is", &["pro", "free"])));
        assert!(leaves_such(&plan("contains", &["p"])));
        assert!(leaves_such(&plan("contains_not", &["p"])));
        assert!(leaves_such(&json!(["and", [plan("is", &["pro"]), ["is", "event:page", ["/"]]]])));
        assert!(!leaves_such(&json!(["or", [plan("is", &["pro"]), ["is", "event:page", ["/"]]]])));
        assert!(!leaves_such(&plan("is_not", &["pro"])));
        assert!(!leaves_such(&plan("is", &["pro", "(none)"])));
        assert!(!leaves_such(&json!(["not", plan("is", &["pro"])])));
        assert!(!leaves_such(&json!(["has_done", plan("is", &["pro"])])));
        assert!(!leaves_such(&json!(["is", "event:page", ["/"]])));
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
