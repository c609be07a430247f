//! The subquery over events.
//!
//! Events without a visitor are counted as events, and never as visitors or visits. Engagement is a
//! row, but not an event that a report counts.

use super::conditions::{Conditions, hosts_of_visits};
use super::{group, labelled, select, visits, within};
use crate::query::Query;
use crate::query::dimension::{Dimension, Field, Home};
use crate::query::metric::{Formula, Metric};
use crate::query::statement::{Sql, sql};

/// The metrics (with their formulas over events) by the query's dimensions.
pub(super) fn subquery(query: &Query, metrics: &[(Metric, &'static str)]) -> Sql {
    let dimensions = query.dimensions.iter().map(|dimension| value(dimension, query)).collect();
    let counts_people_only =
        metrics.iter().all(|(metric, _)| matches!(metric.spec().formula, Formula::Either { .. }));
    let mut wanted = vec![within(query), "name != 'engagement'".into()];
    if counts_people_only {
        wanted.push("visitor_id != 0".into());
    }
    wanted.extend(query.filters.iter().map(|filter| Conditions(query).on_event(filter)));
    wanted.extend(hosts_of_visits(query).iter().map(|filter| Conditions(query).on_event(filter)));
    let wanted = Sql::join(wanted, " AND ");
    sql![select(dimensions, metrics), " FROM ", table(query), " WHERE ", wanted, group(query)]
}

/// Events, beside the visit that each belongs to where a dimension is of visits only.
fn table(query: &Query) -> Sql {
    let of_visit = |dimension: &Dimension| match dimension {
        Dimension::Field(field) if field.is_of_visit() => Some(*field),
        Dimension::Field(_) | Dimension::Property(_) | Dimension::Time(_) => None,
    };
    let fields: Vec<Field> = query.dimensions.iter().filter_map(of_visit).collect();
    if fields.is_empty() {
        return "events FINAL".into();
    }
    sql![
        "events FINAL INNER JOIN (",
        visits::visits(query, fields),
        ") AS visits ON events.session_id = visits.visit"
    ]
}

/// The dimension of a row of `events`, as reports show it.
fn value(dimension: &Dimension, query: &Query) -> Sql {
    match dimension {
        Dimension::Field(field) => {
            let value = match field.spec().home {
                Home::Event(column) | Home::Either(column) => column.into(),
                Home::Visit(_) => visits::column(*field),
            };
            labelled(value, field.spec())
        }
        Dimension::Property(name) => {
            let name = Sql::text(name.as_str());
            sql!["if(mapContains(props, ", &name, "), props[", name, "], '(none)')"]
        }
        Dimension::Time(interval) => interval.label_sql("timestamp", &query.period),
    }
}
