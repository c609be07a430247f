//! The statements that make the numbers of days, each of which counts several days in one go.
//!
//! They count what the reports count: they stand on the same `visits`, the same columns of the fields, and
//! the same condition on what an event is.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::super::conditions::{COUNTED, entered_on, meets};
use super::super::events::goals_met;
use super::super::visits::{self, visits};
use super::super::{SETTINGS, between_in_partitions};
use super::by::{By, IS_SET, Of, column_of, kept_value};
use super::lists::List;
use super::rows::{kept_column, kept_fields};
use super::{attention, earlier, end_of, goals, notable, start_of};
use crate::event::SCROLL_DEPTH_UNKNOWN;
use crate::query::dimension::{Dimension, Field};
use crate::query::interval::Interval;
use crate::query::period::Period;
use crate::query::revenue::{Revenue, Untold};
use crate::query::statement::{Sql, Statement, sql};
use crate::query::{Include, Page, Query};
use crate::session::LENGTH_MAX_S;
use crate::site::Site;
use crate::site::goal::Goal;

/// The hours of a value's day, of rows of one hour each.
const HOURS: &str = "groupArray((hour, people, stays))";

/// Days of a site that follow each other, of which the numbers are to be made.
#[derive(Clone, Copy, Debug)]
pub struct Making<'site> {
    /// The site.
    pub site: &'site Site,
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
    /// The version of the first day's numbers; each further day has the next one.
    pub version: u64,
    /// Whether visits of the days may go on, so that nothing is told that this would change.
    pub goes_on: bool,
}

impl Making<'_> {
    /// The version of a day's numbers.
    pub fn version_of(&self, day: Date) -> u64 {
        let days = day.since(self.first).map_or(0, |span| span.get_days());
        self.version + u64::try_from(days).unwrap_or(0)
    }

    /// What puts the numbers of all the days into `daily`, and their visits into `visit_days`: some dozens of
    /// statements.
    pub fn statements(&self) -> Vec<Statement> {
        let of_events = By::all(Of::Events).into_iter().map(|by| match by {
            By::HourOf(field) => {
                self.events_by_hour(by, kept_value(field, column_of(field).into()), COUNTED.into())
            }
            by => self.events(by),
        });
        let of_attention = By::all(Of::Attention).into_iter().map(|by| self.attention(by));
        let rows = std::iter::once(self.visit_days());
        let of_visits = [self.visits(), self.visits_by_hour(), self.visits_by_hour_of_fields()];
        let of_visits = of_visits.into_iter();
        let of_visits = of_visits.filter(|_| !self.goes_on);
        of_events.chain(of_attention).chain(rows).chain(of_visits).map(Statement::from).collect()
    }

    /// The days that have a visitor who does not end with the day: they can not be closed.
    pub fn unfit_days(&self) -> Statement {
        sql![
            "SELECT DISTINCT toString(day) FROM (",
            self.days_of_visitors(),
            " HAVING visitor_id % 2 = 1 OR length(days) > 2) ARRAY JOIN days AS day WHERE day >= ",
            date(self.first),
            " AND day <= ",
            date(self.last),
        ]
        .into()
    }

    /// Has a row if a visitor comes again on a day that does not follow: then none of the site's days can be
    /// closed. No visitor of this version's collectors does, and imported ones are told by their ids; but
    /// rows may be older than that rule.
    pub fn revenants(&self) -> Statement {
        let (from, to) = self.window();
        let site = || sql!["site_id = ", Sql::number(self.site.id.0)];
        sql![
            "SELECT 1 FROM (SELECT visitor_id FROM (",
            self.days_of_visitors(),
            " HAVING visitor_id % 2 = 0 AND dateDiff('day', arrayMin(days), arrayMax(days)) >= length(days))",
            " UNION ALL SELECT visitor_id FROM events WHERE ",
            site(),
            " AND (timestamp < ",
            Sql::moment(from),
            " OR timestamp > ",
            Sql::moment(to),
            ") AND visitor_id != 0 AND visitor_id IN (SELECT visitor_id FROM events WHERE ",
            self.within(self.first, self.last),
            " AND visitor_id % 2 = 0)) LIMIT 1",
        ]
        .into()
    }

    /// Each visitor, with the days on which they were there, two days beyond the ends included.
    fn days_of_visitors(&self) -> Sql {
        sql![
            "SELECT visitor_id, groupUniqArray(",
            self.day("timestamp"),
            ") AS days FROM events WHERE ",
            self.within(self.first.saturating_sub(2.days()), self.last.saturating_add(2.days())),
            " AND visitor_id != 0 GROUP BY visitor_id",
        ]
    }

    fn window(&self) -> (Timestamp, Timestamp) {
        let zone = &self.site.timezone;
        let first = start_of(self.first.saturating_sub(2.days()), zone);
        (first, end_of(self.last.saturating_add(2.days()), zone))
    }

    fn within(&self, first: Date, last: Date) -> Sql {
        let query = self.query(first, last);
        between_in_partitions(&query, query.period.from(), query.period.to())
    }

    /// The query of all that happened on these days.
    fn query(&self, first: Date, last: Date) -> Query {
        let zone = &self.site.timezone;
        Query {
            site: self.site.id,
            domain: self.site.domain.clone(),
            metrics: Vec::new(),
            dimensions: Vec::new(),
            period: Period::new(start_of(first, zone), end_of(last, zone), zone),
            kept_from: None,
            filters: Vec::new(),
            within: Vec::new(),
            goals: Vec::new(),
            order: Vec::new(),
            include: Include::default(),
            page: Page { limit: 1, offset: 0 },
            revenue: Revenue::Untold(Untold::NoGoals),
            floored: None,
        }
    }

    /// The days that are counted, and the one before, of which something may be carried.
    fn with_day_before(&self) -> Query {
        self.query(self.first.saturating_sub(1.day()), self.last)
    }

    fn day(&self, moment: &'static str) -> Sql {
        sql!["toDate(", moment, ", ", Sql::text(self.site.timezone_name()), ")"]
    }

    fn hour(&self, moment: &'static str) -> Sql {
        sql!["toHour(", moment, ", ", Sql::text(self.site.timezone_name()), ")"]
    }

    /// `INSERT` and the columns that every row has, then these; `dimension` and `value` are expressions over
    /// what is selected from. `d` is the day.
    fn insert(&self, of: Of, columns: impl Into<Sql>, dimension: Sql, value: Sql) -> Sql {
        sql![
            "INSERT INTO daily (site_id, counted, dimension, day, version, value, ",
            columns.into(),
            ") SELECT ",
            Sql::number(self.site.id.0),
            ", '",
            of.name(),
            "', ",
            dimension,
            ", d, ",
            Sql::number(self.version),
            " + dateDiff('day', ",
            date(self.first),
            ", d), ",
            value,
            ", ",
        ]
    }

    /// ` ARRAY JOIN`s each day's counts with themselves as those of the day before the next day: `k` is 1
    /// where they are that.
    fn beside_the_day_before(&self) -> Sql {
        sql![
            " ARRAY JOIN [day, day + 1] AS d, [0, 1] AS k WHERE d >= ",
            date(self.first),
            " AND d <= ",
            date(self.last),
        ]
    }

    fn events(&self, by: By) -> Sql {
        let query = self.with_day_before();
        let (value, condition) = match by {
            By::Site | By::Goals | By::HourOfGoal => ("''".into(), "1".into()),
            By::Hour => (Interval::Hour.label_sql("timestamp", &query.period), "1".into()),
            By::Field(field) | By::HourOf(field) => {
                (kept_value(field, column_of(field).into()), "1".into())
            }
            By::Having(field) => ("''".into(), sql![column_of(field), IS_SET]),
        };
        self.events_by(by, value, sql![COUNTED, " AND ", condition], None)
    }

    /// What puts the numbers of the days by the site's goals into `daily`, and their notable events into `notable_events`, under
    /// versions that may be others than those of the days, which are `counted`.
    pub fn of_goals(&self, counted: Vec<u64>) -> Vec<Statement> {
        let by_goal = [self.goals(), self.goals_by_hour()].into_iter().flatten();
        by_goal.chain([self.notable(counted)]).map(Statement::from).collect()
    }

    fn notable(&self, counted: Vec<u64>) -> Sql {
        let version =
            sql![Sql::number(self.version), " + dateDiff('day', ", date(self.first), ", day)"];
        let condition = sql![
            "site_id = ",
            Sql::number(self.site.id.0),
            " AND day >= ",
            date(self.first),
            " AND day <= ",
            date(self.last),
            " AND visit_days.version IN ",
            Sql::numbers(counted),
        ];
        notable::made(version, condition, &self.site.goals)
    }

    fn goals(&self) -> Option<Sql> {
        let (goals, met) = self.goals_met()?;
        let dimensions = [Dimension::Goal(goals.clone())];
        let revenue = Revenue::of(&goals, &dimensions, &[]).amount_of(&"value".into());
        Some(self.events_by(By::Goals, goals_met(&goals), met, Some(revenue)))
    }

    fn goals_by_hour(&self) -> Option<Sql> {
        let (goals, met) = self.goals_met()?;
        Some(self.events_by_hour(By::HourOfGoal, goals_met(&goals), met))
    }

    /// The site's goals by their keys, if there are any, and the condition on what meets one.
    fn goals_met(&self) -> Option<(Vec<Goal>, Sql)> {
        let goals = goals::by_key(&self.site.goals);
        let met = Sql::any(goals.iter().map(meets).collect());
        (!goals.is_empty()).then_some((goals, met))
    }

    /// Events that meet the condition, counted by the value, and what they bring.
    fn events_by(&self, by: By, value: Sql, condition: Sql, revenue: Option<Sql>) -> Sql {
        let query = self.with_day_before();
        let (columns, sums, brought, amounts) = match revenue {
            None => ("", "", Sql::default(), ""),
            Some(revenue) => (
                ", paid, revenue",
                ", sumIf(paying, k = 0), sumIf(amount, k = 0)",
                sql!["WITH ", revenue, " AS brought "],
                ", count(brought) AS paying, ifNull(sum(brought), 0) AS amount",
            ),
        };
        sql![
            self.insert(
                Of::Events,
                sql![
                    "visitors, visitors_carried, visits, visits_carried, pageviews, events",
                    columns
                ],
                Sql::text(by.name()),
                "value".into(),
            ),
            "uniqExactMergeIf(people, k = 0), ",
            "uniqExactMergeIf(people, k = 0) + uniqExactMergeIf(people, k = 1) - uniqExactMerge(people), ",
            "uniqExactMergeIf(stays, k = 0), ",
            "uniqExactMergeIf(stays, k = 0) + uniqExactMergeIf(stays, k = 1) - uniqExactMerge(stays), ",
            "sumIf(views, k = 0), sumIf(all, k = 0)",
            sums,
            " FROM (",
            brought,
            "SELECT ",
            self.day("timestamp"),
            " AS day, ",
            value,
            " AS value, uniqExactStateIf(visitor_id, visitor_id != 0) AS people, ",
            "uniqExactStateIf(session_id, session_id != 0) AS stays, ",
            "countIf(name = 'pageview') AS views, count() AS all",
            amounts,
            " FROM events FINAL WHERE ",
            between_in_partitions(&query, query.period.from(), query.period.to()),
            " AND ",
            condition,
            " GROUP BY day, value)",
            self.beside_the_day_before(),
            " GROUP BY d, value HAVING countIf(k = 0) > 0",
            SETTINGS,
        ]
    }

    /// All that is kept of visits but hours, in one go: to find the visits is what takes long.
    fn visits(&self) -> Sql {
        let query = self.with_day_before();
        let kept: Vec<By> = By::all(Of::Visits).into_iter().filter(|by| !by.is_by_hour()).collect();
        let fields: Vec<Field> = kept.iter().filter_map(|by| by.field()).collect();
        let (of_events, of_visits): (Vec<By>, Vec<By>) =
            kept.into_iter().partition(|by| by.is_of_events());
        let each = of_visits.into_iter().map(|by| {
            let name = Sql::text(by.name());
            match by {
                By::Field(field) | By::HourOf(field) => {
                    sql!["(", name, ", ", kept_value(field, visits::column(field)), ", 1)"]
                }
                By::Having(field) => {
                    sql!["(if(", visits::column(field), IS_SET, ", ", name, ", '-'), '', 1)"]
                }
                By::Site | By::Hour | By::Goals | By::HourOfGoal => sql!["(", name, ", '', 1)"],
            }
        });
        let each = sql!["[", Sql::join(each, ", "), "]"];
        // Of what its events have, a visit counts for each value.
        let each_of_events = of_events.into_iter().filter_map(|by| {
            let field = by.field()?;
            let entered = if field == Field::Page { entered_on("value") } else { "1".into() };
            let value = kept_value(field, "value".into());
            let row = sql!["(", Sql::text(by.name()), ", ", value, ", ", entered, ")"];
            Some(sql!["arrayMap(value -> ", row, ", ", visits::column(field), ")"])
        });
        sql![
            self.insert(
                Of::Visits,
                "visitors, visitors_carried, visits, pageviews, entered, bounces, seconds",
                "dimension".into(),
                "value".into(),
            ),
            "uniqExactMergeIf(people, k = 0), ",
            "uniqExactMergeIf(people, k = 0) + uniqExactMergeIf(people, k = 1) - uniqExactMerge(people), ",
            "sumIf(stays, k = 0), sumIf(seen, k = 0), sumIf(entries, k = 0), sumIf(bounces, k = 0), ",
            "sumIf(seconds, k = 0) FROM (SELECT ",
            self.day("last"),
            " AS day, kept.1 AS dimension, kept.2 AS value, uniqExactState(visitor) AS people, ",
            "count() AS stays, sum(views) AS seen, countIf(kept.3) AS entries, ",
            "countIf(bounced AND kept.3) AS bounces, toUInt64(sum(duration)) AS seconds FROM (",
            visits(&query, fields),
            ") ARRAY JOIN arrayConcat(",
            Sql::join(std::iter::once(each).chain(each_of_events), ", "),
            ") AS kept WHERE dimension != '-' AND day >= ",
            date(self.first.saturating_sub(1.day())),
            " AND day <= ",
            date(self.last),
            " GROUP BY day, dimension, value)",
            self.beside_the_day_before(),
            " GROUP BY dimension, d, value HAVING countIf(k = 0) > 0",
            SETTINGS,
        ]
    }

    /// A visit counts in each hour in which it was under way.
    fn visits_by_hour(&self) -> Sql {
        let query = self.query(self.first, self.last);
        sql![
            self.insert(
                Of::Visits,
                "visitors, visits, pageviews, entered, bounces, seconds",
                Sql::text(By::Hour.name()),
                "hour".into(),
            ),
            "people, stays, seen, stays, bounces, seconds FROM (SELECT ",
            Interval::Hour.visit_label_sql("first", "last", &query.period),
            " AS hour, toDate(substring(hour, 1, 10)) AS d, uniqExact(visitor) AS people, ",
            "count() AS stays, sum(views) AS seen, countIf(bounced) AS bounces, ",
            "toUInt64(sum(duration)) AS seconds FROM (",
            visits(&query, []),
            ") GROUP BY hour)",
            SETTINGS,
        ]
    }

    /// The same by the values of fields, each of which has its hours in one row.
    fn visits_by_hour_of_fields(&self) -> Sql {
        let query = self.query(self.first, self.last);
        let kept = By::all(Of::Visits).into_iter();
        let kept = kept.filter_map(|by| match by {
            By::HourOf(field) => Some((by.name(), field)),
            _ => None,
        });
        let kept: Vec<(String, Field)> = kept.collect();
        let fields: Vec<Field> = kept.iter().map(|(_, field)| *field).collect();
        let values = fields.iter().map(|field| sql![", ", visits::column(*field)]);
        let each = kept.iter().map(|(name, field)| {
            let value = kept_value(*field, visits::column(*field));
            sql!["(", Sql::text(name.clone()), ", ", value, ")"]
        });
        sql![
            self.insert(Of::Visits, "hours", "dimension".into(), "value".into()),
            HOURS,
            " FROM (SELECT kept.1 AS dimension, kept.2 AS value, toDate(substring(label, 1, 10)) AS d, ",
            "toUInt8(substring(label, 12, 2)) AS hour, uniqExact(visitor) AS people, count() AS stays FROM (SELECT ",
            Interval::Hour.visit_label_sql("first", "last", &query.period),
            " AS label, visitor",
            Sql::join(values, ""),
            " FROM (",
            visits(&query, fields),
            ")) ARRAY JOIN [",
            Sql::join(each, ", "),
            "] AS kept GROUP BY dimension, value, d, hour) GROUP BY dimension, value, d",
            SETTINGS,
        ]
    }

    /// Events that meet the condition by the value, each of which has its hours in one row.
    fn events_by_hour(&self, by: By, value: Sql, condition: Sql) -> Sql {
        let query = self.query(self.first, self.last);
        sql![
            self.insert(Of::Events, "hours", Sql::text(by.name()), "value".into()),
            HOURS,
            " FROM (SELECT ",
            value,
            " AS value, ",
            self.day("timestamp"),
            " AS d, ",
            self.hour("timestamp"),
            " AS hour, uniqExactIf(visitor_id, visitor_id != 0) AS people, ",
            "uniqExactIf(session_id, session_id != 0) AS stays FROM events FINAL WHERE ",
            between_in_partitions(&query, query.period.from(), query.period.to()),
            " AND ",
            condition,
            " GROUP BY value, d, hour) GROUP BY value, d",
            SETTINGS,
        ]
    }

    /// A row for each visit and each day on which anything of it happened; and for each event of nobody. What is
    /// of the visit as a whole is made as for every report, and holds on the day on which it ended.
    fn visit_days(&self) -> Sql {
        let query = self.query(self.first, self.last);
        let (of_visits, of_events): (Vec<Field>, Vec<Field>) =
            kept_fields().partition(|field| field.is_of_visit());
        let names = |fields: &[Field]| -> Vec<Sql> {
            fields.iter().map(|field| sql![", ", visits::column(*field)]).collect()
        };
        let columns = of_events.iter().chain(&of_visits).map(|field| kept_column(*field));
        let columns = columns.map(|column| sql![", ", column]);
        let of_alike = of_events
            .iter()
            .map(|field| sql![", any(events.", column_of(*field), ") AS ", visits::column(*field)]);
        let of_day = of_events.iter().map(|field| {
            sql![", any(alike.", visits::column(*field), ") AS ", visits::column(*field)]
        });
        let told = sql!["scroll_depth != ", Sql::number(SCROLL_DEPTH_UNKNOWN)];
        // The events that are alike but for their time, then those of each day together.
        let alike = sql![
            "SELECT site_id, session_id, if(session_id = 0, event_id, 0) AS event, ",
            self.day("timestamp"),
            " AS d, name, hostname, pathname, revenue_currency, props, any(visitor_id) AS visitor, count() AS times, ",
            "groupBitOr(bitShiftLeft(toUInt32(1), ",
            self.hour("timestamp"),
            ")) AS hours, ",
            "sum(engagement_ms) AS ms, if(countIf(",
            &told,
            ") = 0, ",
            Sql::number(SCROLL_DEPTH_UNKNOWN),
            ", maxIf(scroll_depth, ",
            told,
            ")) AS depth, sum(revenue_amount) AS amount",
            Sql::join(of_alike, ""),
            " FROM events FINAL WHERE ",
            between_in_partitions(&query, query.period.from(), query.period.to()),
            " GROUP BY site_id, session_id, event, d, name, hostname, pathname, revenue_currency, props",
        ];
        let hours = List::ALL.into_iter().filter_map(List::hours_made);
        let days = sql![
            "SELECT session_id AS visit, event, d, any(alike.visitor) AS person, ",
            "sumIf(times, name = 'pageview') AS day_views, sumIf(times, name != 'engagement') AS day_events, ",
            Sql::join(
                List::ALL.map(List::made).into_iter().chain(hours).chain(attention::made()),
                ", "
            ),
            ", ",
            "groupArray((name, hostname, pathname, times, ms, depth, revenue_currency, amount)) AS happened, ",
            "groupArray(hours) AS hours_happened, groupArray(props) AS props_happened",
            Sql::join(of_day, ""),
            " FROM (",
            alike,
            ") AS alike GROUP BY site_id, visit, event, d",
        ];
        // Who is told by the visit: no other visit and no other day can have the visitor. And who may be told by earlier visits.
        let alone = sql!["person IN (", self.visitors_of_one_day("="), ")"];
        let several =
            earlier::of_visits(visits(&query, kept_fields()), self.visitors_of_one_day("!="));
        let (alone, earlier, told): (Sql, Sql, Sql) = match self.goes_on {
            true => ("0".into(), Sql::default(), "0".into()),
            false => (
                alone,
                sql![" LEFT JOIN (", several, ") AS earlier USING (visit)"],
                "earlier.is_told OR is_alone".into(),
            ),
        };
        let bits = earlier::columns().into_iter().map(|column| match self.goes_on {
            true => sql![", ", earlier::EVERY],
            false => sql![", if(told, earlier.", column, ", ", earlier::EVERY, ")"],
        });
        let names_of_lists = List::ALL.iter().map(|list| list.name);
        let of_hours = List::ALL.into_iter().filter_map(List::hours);
        let of_attention = attention::COLUMNS.into_iter().map(|(_, column)| column);
        let lists: Vec<&str> = names_of_lists.chain(of_hours).chain(of_attention).collect();
        let lists = || lists.iter().map(|list| sql![*list, ", "]);
        sql![
            "INSERT INTO visit_days (site_id, day, version, session_id, event_id, visitor_id, ended, ",
            "first, duration, views, bounced, day_views, day_events, ",
            Sql::join(lists(), ""),
            "happened, hours_happened, props_happened",
            Sql::join(columns, ""),
            ", apart, ",
            Sql::join(earlier::columns(), ", "),
            ") SELECT ",
            Sql::number(self.site.id.0),
            ", d, ",
            Sql::number(self.version),
            " + dateDiff('day', ",
            date(self.first),
            ", d), visit, event, if((",
            alone,
            ") AS is_alone, 0, person), ",
            self.day("last"),
            " = d, first, duration, views, bounced, day_views, day_events, ",
            Sql::join(lists(), ""),
            "happened, hours_happened, props_happened",
            Sql::join(names(&of_events).into_iter().chain(names(&of_visits)), ""),
            ", if((",
            told,
            ") AS told, 0, person)",
            Sql::join(bits, ""),
            " FROM (",
            days,
            ") AS days LEFT JOIN (",
            // Attention may come after midnight to a visit that did nothing else then.
            visits(&self.with_day_before(), of_visits.iter().copied()),
            ") AS visits USING (visit)",
            earlier,
            SETTINGS,
        ]
    }

    /// The ids of visitors who are there on one of the days alone, and whose least visit is, or is not, their greatest.
    fn visitors_of_one_day(&self, is: &'static str) -> Sql {
        sql![
            "SELECT visitor_id FROM events WHERE ",
            self.within(self.first.saturating_sub(2.days()), self.last.saturating_add(2.days())),
            " GROUP BY visitor_id HAVING min(session_id) ",
            is,
            " max(session_id) AND min(session_id) != 0 AND ",
            self.day("min(timestamp)"),
            " = ",
            self.day("max(timestamp)"),
        ]
    }

    fn attention(&self, by: By) -> Sql {
        let query = self.with_day_before();
        let value = match by {
            By::Field(field) => kept_value(field, column_of(field).into()),
            By::Site | By::Hour | By::HourOf(_) | By::Having(_) | By::Goals | By::HourOfGoal => {
                "''".into()
            }
        };
        let told = sql!["scroll_depth != ", Sql::number(SCROLL_DEPTH_UNKNOWN)];
        sql![
            self.insert(
                Of::Attention,
                "visits, visits_carried, attention_ms, told, told_carried, depth, depth_carried",
                Sql::text(by.name()),
                "value".into(),
            ),
            "countIf(here), countIf(here AND before), sum(ms), ",
            "countIf(told), countIf(told AND had_told), sum(depth), ",
            // Of a visit that told of both days only the deeper counts.
            "sumIf(least(depth, depth_before), told AND had_told) FROM (SELECT d, value, session_id, ",
            "countIf(k = 0) > 0 AS here, countIf(k = 1) > 0 AS before, sumIf(engaged, k = 0) AS ms, ",
            "countIf(k = 0 AND tells) > 0 AS told, countIf(k = 1 AND tells) > 0 AS had_told, ",
            "maxIf(deepest, k = 0) AS depth, maxIf(deepest, k = 1) AS depth_before FROM (SELECT ",
            self.day("timestamp"),
            " AS day, ",
            value,
            " AS value, session_id, sum(engagement_ms) AS engaged, maxIf(scroll_depth, ",
            &told,
            ") AS deepest, countIf(",
            told,
            ") > 0 AS tells FROM events FINAL WHERE ",
            between_in_partitions(&query, query.period.from(), query.period.to()),
            " AND name = 'engagement' AND session_id != 0 GROUP BY day, value, session_id)",
            self.beside_the_day_before(),
            " GROUP BY d, value, session_id) GROUP BY d, value HAVING countIf(here) > 0",
            SETTINGS,
        ]
    }
}

fn date(day: Date) -> Sql {
    sql!["toDate(", Sql::text(day.to_string()), ")"]
}

/// The days of UTC, which are the partitions of `events`, that the numbers of a site's day are made of.
///
/// Those of the day before are among them and, unless its visits are still to go on, those of the day after.
pub fn made_of(day: Date, zone: &TimeZone, goes_on: bool) -> impl Iterator<Item = Date> + use<> {
    let visit = SignedDuration::from_secs(LENGTH_MAX_S);
    let from = start_of(day.saturating_sub(1.day()), zone) - visit;
    let end = end_of(day, zone);
    let to = if goes_on { end } else { end + visit };
    let utc = |moment: Timestamp| TimeZone::UTC.to_datetime(moment).date();
    let (first, last) = (utc(from), utc(to));
    std::iter::successors(Some(first), |day| day.tomorrow().ok())
        .take_while(move |day| *day <= last)
}
