//! Filters as conditions: on an event, and on a visit.

use super::Closed;
use super::events::{Form, Rows, source};
use super::tiers;
use super::visits::field_value;
use crate::query::Query;
use crate::query::dimension::{Dimension, Field, Home};
use crate::query::filter::{Comparison, Filter, Subject, Test};
use crate::query::statement::{Sql, sql};
use crate::site::goal::{Goal, GoalKind};

/// The conditions that filters come to in the report of a query.
pub(in crate::query) struct Conditions<'query> {
    query: &'query Query,
    closed: &'query Closed,
}

impl<'query> Conditions<'query> {
    /// Visits that ended on closed days are looked up, and made of their events where none is closed.
    pub(in crate::query) fn of(query: &'query Query, closed: &'query Closed) -> Self {
        Self { query, closed }
    }

    /// The condition on a row of `events`.
    pub(in crate::query) fn on_event(&self, filter: &Filter) -> Sql {
        match filter {
            Filter::All(filters) => {
                Sql::all(filters.iter().map(|filter| self.on_event(filter)).collect())
            }
            Filter::Any(filters) => {
                Sql::any(filters.iter().map(|filter| self.on_event(filter)).collect())
            }
            Filter::Not(filter) => sql!["NOT (", self.on_event(filter), ")"],
            Filter::Done(filter, done) => self.done("session_id", filter, *done),
            Filter::Test(test) => self.test_on_event(test),
        }
    }

    fn test_on_event(&self, test: &Test) -> Sql {
        let field = match &test.subject {
            Subject::Property(name) => return on_property(Sql::text(name.as_str()), test),
            Subject::Goal(goals) => return Sql::any(goals.iter().map(meets).collect()),
            Subject::Field(field) => *field,
        };
        match field.spec().home {
            Home::Event(value) | Home::Either(value) => on_field(value.into(), field, test),
            Home::Visit(_) => {
                let visits = tiers::visits(self.query, [field], self.closed);
                let test = on_field(field_value(field), field, test);
                sql!["session_id IN (SELECT visit FROM (", visits, ") WHERE ", test, ")"]
            }
        }
    }

    /// The condition on a row of visits that meets all the filters. Those about single events must be
    /// met by one and the same event, of which `had` says whether the visit had it, where rows tell that.
    pub(super) fn on_visits(&self, filters: &[Filter], had: Option<Sql>) -> Sql {
        let (of_events, of_visits): (Vec<_>, Vec<_>) =
            filters.iter().partition(|filter| filter.asks_about_events());
        let mut wanted: Vec<Sql> =
            of_visits.into_iter().map(|filter| self.on_visit(filter)).collect();
        if !of_events.is_empty() {
            let looked_up = || sql!["visit IN (", self.visits_with_event(&of_events), ")"];
            wanted.push(had.unwrap_or_else(looked_up));
        }
        Sql::all(wanted)
    }

    fn on_visit(&self, filter: &Filter) -> Sql {
        match filter {
            Filter::All(filters) => {
                Sql::all(filters.iter().map(|filter| self.on_visit(filter)).collect())
            }
            Filter::Any(filters) => {
                Sql::any(filters.iter().map(|filter| self.on_visit(filter)).collect())
            }
            Filter::Not(filter) => sql!["NOT (", self.on_visit(filter), ")"],
            Filter::Done(filter, done) => self.done("visit", filter, *done),
            Filter::Test(test) => match &test.subject {
                Subject::Field(field) if !field.is_of_event() => {
                    on_field(field_value(*field), *field, test)
                }
                Subject::Field(_) | Subject::Property(_) | Subject::Goal(_) => {
                    sql!["visit IN (", self.visits_with_event(&[filter]), ")"]
                }
            },
        }
    }

    fn done(&self, visit: &'static str, filter: &Filter, done: bool) -> Sql {
        let word = if done { " IN (" } else { " NOT IN (" };
        sql![visit, word, self.visits_with_event(&[filter]), ")"]
    }

    /// The visits with an event that meets the filters.
    fn visits_with_event(&self, filters: &[&Filter]) -> Sql {
        let query = Query {
            metrics: Vec::new(),
            dimensions: Vec::new(),
            filters: filters.iter().copied().cloned().collect(),
            ..self.query.clone()
        };
        let rows = Rows::of(&query, &[], filters, &[], Vec::new(), self.closed);
        let counts =
            rows.form != Form::Day && !filters.iter().any(|filter| tests_scrolling(filter));
        let counted = counts.then_some(COUNTED);
        let left = filters.iter().filter(|filter| rows.leaves_open(filter));
        let met: Vec<Sql> = left.map(|filter| self.on_event(filter)).collect();
        let (table, within) = source(&query, rows.sql);
        let wanted = [within, "session_id != 0".into()].into_iter();
        let wanted = wanted.chain(counted.map(Sql::from)).chain(met);
        sql!["SELECT session_id FROM ", table, " WHERE ", Sql::join(wanted, " AND ")]
    }
}

/// The condition on rows that are events in the sense of reports.
pub(super) const COUNTED: &str = "name != 'engagement'";

/// The condition on rows that are attention.
pub(super) const ATTENTION: &str = "name = 'engagement'";

/// Whether engagement can meet the filter: it can meet a goal of scrolling.
pub(super) fn tests_scrolling(filter: &Filter) -> bool {
    filter.tests().iter().any(|test| match &test.subject {
        Subject::Goal(goals) => goals.iter().any(Goal::is_of_scrolling),
        Subject::Field(_) | Subject::Property(_) => false,
    })
}

/// Whether engagement can meet the filter by what it did not come to: then of the deepest of several it is not told.
pub(super) fn denies_scrolling(filter: &Filter) -> bool {
    match filter {
        Filter::All(filters) | Filter::Any(filters) => filters.iter().any(denies_scrolling),
        Filter::Not(filter) => tests_scrolling(filter),
        Filter::Done(filter, _) => denies_scrolling(filter),
        Filter::Test(test) => test.negated && tests_scrolling(filter),
    }
}

/// Whether an event meets the goal.
pub(super) fn meets(goal: &Goal) -> Sql {
    let on_page = |pattern: &str| match pattern.contains('*') {
        true => sql!["match(pathname, ", Sql::text(wildcard(pattern, false)), ")"],
        false => sql!["pathname = ", Sql::text(pattern)],
    };
    match &goal.kind {
        GoalKind::Event(name) => sql!["(name = ", Sql::text(name), " AND ", COUNTED, ")"],
        GoalKind::Page(page) => sql!["(name = 'pageview' AND ", on_page(page), ")"],
        GoalKind::Scroll(page, threshold) => sql![
            "(name = 'engagement' AND scroll_depth BETWEEN ",
            Sql::number(*threshold),
            " AND 100 AND ",
            on_page(page),
            ")"
        ],
    }
}

/// Whether a visit counts for the bounce rate, and the field of the visit that this looks at: with a
/// filter on the page at the top level, only if it entered on such a page.
pub(super) fn entered_condition(query: &Query) -> (Sql, Option<Field>) {
    let tests = query.filters.iter().filter_map(|filter| match filter {
        Filter::Test(test) if test.subject == Subject::Field(Field::Page) => Some(test),
        _ => None,
    });
    let entered: Vec<Sql> =
        tests.map(|test| on_field(field_value(Field::EntryPage), Field::EntryPage, test)).collect();
    let field = (!entered.is_empty()).then_some(Field::EntryPage);
    (Sql::all(entered), field)
}

/// Whether a visit entered on the page.
pub(super) fn entered_on(page: &'static str) -> Sql {
    sql![field_value(Field::EntryPage), " = ", page]
}

/// What a filter on the host asks of the visit besides, when the report is by where visits began or
/// ended: that it began, or ended, on such a host.
pub(super) fn hosts_of_visits(query: &Query) -> Vec<Filter> {
    let hosts: Vec<Field> = query.dimensions.iter().filter_map(host_behind).collect();
    let on_host = |filter: &&Filter| matches!(filter, Filter::Test(test) if test.subject == Subject::Field(Field::Hostname));
    let filters: Vec<&Filter> = query.filters.iter().filter(on_host).collect();
    let each = hosts
        .iter()
        .flat_map(|host| filters.iter().map(|filter| filter.with_field(Field::Hostname, *host)));
    each.collect()
}

fn host_behind(dimension: &Dimension) -> Option<Field> {
    let Dimension::Field(field) = dimension else { return None };
    match field {
        Field::Source
        | Field::Referrer
        | Field::UtmSource
        | Field::UtmMedium
        | Field::UtmCampaign
        | Field::UtmContent
        | Field::UtmTerm
        | Field::EntryPage => Some(Field::EntryHostname),
        Field::ExitPage => Some(Field::ExitHostname),
        _ => None,
    }
}

/// So many parts of a text are looked for by a condition each.
const FEW_PARTS: usize = 8;

/// Whether the value, which is the field's, is found by the test.
pub(super) fn on_field(value: Sql, field: Field, test: &Test) -> Sql {
    let (value, blank) =
        if field.spec().number { (sql!["toString(", value, ")"], "0") } else { (value, "") };
    let found = found(&value, test, blank);
    if test.negated { sql!["NOT (", found, ")"] } else { found }
}

/// A comparison with a property, save for `is`, is about events that have it.
fn on_property(name: Sql, test: &Test) -> Sql {
    let value = sql!["props[", &name, "]"];
    let present = sql!["mapContains(props, ", name, ")"];
    let (values, absent) = test.values_and_blank();
    match test.comparison {
        Comparison::Is => {
            // A property that is not there is read as an empty text, and looking for it takes as long as comparing it.
            let is_there = values.iter().all(|value| !value.is_empty());
            let equal = one_of(&value, values, test.case_sensitive);
            let equal = if is_there { equal } else { sql![&present, " AND ", equal] };
            let met = if absent { sql!["(", equal, ") OR NOT ", present] } else { equal };
            if test.negated { sql!["NOT (", met, ")"] } else { sql!["(", met, ")"] }
        }
        Comparison::IsSet if test.negated => sql!["NOT ", present],
        Comparison::IsSet => present,
        Comparison::Contains
        | Comparison::StartsWith
        | Comparison::EndsWith
        | Comparison::Matches
        | Comparison::MatchesWildcard => {
            let found = found(&value, test, "");
            let met = if test.negated { sql!["NOT (", found, ")"] } else { found };
            sql!["(", present, " AND ", met, ")"]
        }
    }
}

/// Whether one of the test's values is found. However many they are, they are one parameter: the
/// database takes a limited number of those.
fn found(value: &Sql, test: &Test, blank: &'static str) -> Sql {
    match test.comparison {
        Comparison::Is => {
            let (mut values, wants_blank) = test.values_and_blank();
            if wants_blank {
                values.push(blank.to_owned());
            }
            one_of(value, values, test.case_sensitive)
        }
        Comparison::Contains => {
            let fold = Fold::of(test);
            with_part(&test.values, |part| {
                sql!["position(", fold.folded(value), ", ", fold.folded(&part), ") > 0"]
            })
        }
        Comparison::StartsWith => part_at("startsWith(", value, test),
        Comparison::EndsWith => part_at("endsWith(", value, test),
        Comparison::IsSet => sql![value, " != '", blank, "'"],
        Comparison::Matches => matches(value, &test.values),
        Comparison::MatchesWildcard => {
            let patterns: Vec<_> = test.values.iter().map(|text| wildcard(text, true)).collect();
            matches(value, &patterns)
        }
    }
}

/// Whether one of the test's values is at this end of the value.
fn part_at(end: &'static str, value: &Sql, test: &Test) -> Sql {
    let fold = Fold::of(test);
    with_part(&test.values, |part| sql![end, fold.folded(value), ", ", fold.folded(&part), ")"])
}

/// How letters are made small before texts are compared.
#[derive(Clone, Copy)]
enum Fold {
    /// They stay as they are.
    Not,
    /// Those from A to Z, which is much quicker, and does where no others are looked for.
    Ascii,
    /// All of them.
    Unicode,
}

impl Fold {
    fn of(test: &Test) -> Self {
        match test.case_sensitive {
            true => Self::Not,
            false if test.values.iter().all(|part| part.is_ascii()) => Self::Ascii,
            false => Self::Unicode,
        }
    }

    fn folded(self, text: &Sql) -> Sql {
        match self {
            Self::Not => text.clone(),
            Self::Ascii => sql!["lower(", text, ")"],
            Self::Unicode => sql!["lowerUTF8(", text, ")"],
        }
    }
}

/// Whether the value has one of the parts. Of a column with a dictionary the dictionary alone is looked at where the parts are
/// named one by one, which a few are.
fn with_part(parts: &[String], has: impl Fn(Sql) -> Sql) -> Sql {
    if parts.len() > FEW_PARTS {
        return sql![
            "arrayExists(part -> ",
            has("part".into()),
            ", ",
            Sql::texts(parts.to_vec()),
            ")"
        ];
    }
    Sql::any(parts.iter().map(|part| has(Sql::text(part))).collect())
}

fn matches(value: &Sql, patterns: &[String]) -> Sql {
    let pattern = match patterns {
        [pattern] => pattern.clone(),
        patterns => format!("(?:{})", patterns.join(")|(?:")),
    };
    sql!["match(", value, ", ", Sql::text(pattern), ")"]
}

fn one_of(value: &Sql, values: Vec<String>, case_sensitive: bool) -> Sql {
    if !case_sensitive {
        if let [one] = values.as_slice() {
            return sql!["lowerUTF8(", value, ") = lowerUTF8(", Sql::text(one), ")"];
        }
        let folded = sql!["arrayMap(text -> lowerUTF8(text), ", Sql::texts(values), ")"];
        return sql!["has(", folded, ", lowerUTF8(", value, "))"];
    }
    // Of a column with a dictionary only the dictionary is looked at so, and each row with `has`. In a list of texts
    // `IN` takes twice as long as `=`.
    match values.as_slice() {
        [one] => sql![value, " = ", Sql::text(one)],
        _ => sql![value, " IN ", Sql::texts(values)],
    }
}

/// The regular expression that a pattern stands for: `*` and `**` are any characters, `|` may be or, and is a bar after a
/// backslash then.
fn wildcard(pattern: &str, alternatives: bool) -> String {
    let mut regex = String::from("(?s)^(?:");
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' => {
                while characters.next_if_eq(&'*').is_some() {}
                regex.push_str(".*");
            }
            '|' if alternatives => regex.push('|'),
            '\\' if alternatives && characters.next_if_eq(&'|').is_some() => regex.push_str(r"\|"),
            special if special.is_ascii_punctuation() => regex.extend(['\\', special]),
            plain => regex.push(plain),
        }
    }
    regex + ")$"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_anchored_and_escapes_what_a_regular_expression_would_obey() {
        let check = |pattern: &str, expected: &str| assert_eq!(wildcard(pattern, true), expected);
        check("/blog/**", r"(?s)^(?:\/blog\/.*)$");
        check("a*b", "(?s)^(?:a.*b)$");
        check("F*|S*", "(?s)^(?:F.*|S.*)$");
        check(r"a\|b*|c\d", r"(?s)^(?:a\|b.*|c\\d)$");
        check("a.b(c)", r"(?s)^(?:a\.b\(c\))$");
        check("ä€ ß", "(?s)^(?:ä€ ß)$");
        assert_eq!(wildcard("/a|b*", false), r"(?s)^(?:\/a\|b.*)$");
    }
}
