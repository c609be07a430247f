//! Several subqueries over numbers that are added up, as one: see [`super::super::together`].
//!
//! The closed days' numbers are read for each by itself, which is cheap. What lies between closed days is counted once for
//! all: each event, or visit, has a row for each of the subqueries that want it.

use std::collections::BTreeSet;

use super::super::conditions::COUNTED;
use super::super::together::{NAMES, Part, mark, marks};
use super::Closed;
use super::by::{By, Of};
use super::read::{NOBODY, Reading, formula, has_ended, is_of_people};
use super::rows::Columns;
use super::split::{Split, Stretch, Told};
use crate::query::metric::Metric;
use crate::query::statement::{Sql, sql};

/// The parts by their marks, dimensions and metrics; `None` if closed days do not tell one of them, or are too few.
pub(in crate::query::compile) fn together(
    parts: &[Part],
    metrics: &BTreeSet<Metric>,
    of: Of,
    closed: &Closed,
) -> Option<Sql> {
    let readings = parts.iter().map(|part| Some((part, reading(part, of)?)));
    let readings: Vec<(&Part, Reading)> = readings.collect::<Option<_>>()?;
    let (_, any) = readings.first()?;
    let told = if of == Of::Visits { Told::Visits } else { Told::Events };
    let split = Split::of(any.query, closed, told)?;
    let names = || any.columns().map(|column| sql![", ", column.name]);
    let closed_days = readings.iter().map(|(part, reading)| {
        let dimensions = mark(part, reading.dimension_names().collect());
        let dimensions = dimensions.into_iter().zip(NAMES);
        let dimensions = dimensions.map(|(value, name)| sql![value, " AS ", name]);
        sql![
            "SELECT ",
            Sql::join(dimensions, ", "),
            Sql::join(names(), ""),
            " FROM (",
            reading.closed_days(&split),
            ")"
        ]
    });
    // Without dimensions there is always a row.
    let always = readings.iter().filter(|(part, _)| part.query.dimensions.is_empty());
    let of_nothing = always.clone().map(|(part, _)| {
        let values = mark(part, Vec::new()).into_iter().zip(NAMES);
        let values = values.map(|(value, name)| sql![value, " AS ", name]);
        let nothing = any.columns().map(|column| {
            let zero = if column.closed == NOBODY { NOBODY } else { "toInt64(0)" };
            sql![zero, " AS ", column.name]
        });
        sql!["SELECT ", Sql::join(values.chain(nothing), ", ")]
    });
    let stretches = split.stretches.iter().map(|stretch| {
        let counted = stretch_of(&readings, of, stretch)?;
        Some(sql![
            "SELECT mark.1 AS q, mark.2 AS e0, mark.3 AS e1",
            Sql::join(names(), ""),
            " FROM (",
            counted,
            ")"
        ])
    });
    let stretches = stretches.collect::<Option<Vec<Sql>>>()?;
    let arms = closed_days.chain(of_nothing).chain(stretches);
    let formulas = metrics
        .iter()
        .map(|metric| Some(sql![", ", formula(*metric, of)?, " AS ", metric.spec().name]))
        .collect::<Option<Vec<Sql>>>()?;
    let there_is_a_row = readings.iter().map(|(part, reading)| {
        let condition = match part.query.dimensions.is_empty() {
            true => "1",
            false => reading.there_is_a_row(),
        };
        sql!["q = ", Sql::number(part.mark), ", ", condition, ", "]
    });
    Some(sql![
        "SELECT q, e0, e1",
        Sql::join(formulas, ""),
        " FROM (",
        Sql::join(arms, " UNION ALL "),
        ") GROUP BY q, e0, e1 HAVING multiIf(",
        Sql::join(there_is_a_row, ""),
        "0)",
    ])
}

/// How a part is read; `None` where that is not by sums, or not by those of whole days.
fn reading<'query>(part: &Part<'query>, of: Of) -> Option<Reading<'query>> {
    let by = By::of(part.query, of)?;
    let only_people = part.metrics.iter().all(|(metric, _)| is_of_people(*metric));
    let is_of_days = matches!(by, By::Site | By::Field(_) | By::Having(_));
    is_of_days.then_some(Reading { query: part.query, of, by, only_people, of_revenue: false })
}

/// What is counted in a stretch, by `mark`.
fn stretch_of(readings: &[(&Part, Reading)], of: Of, stretch: &Stretch) -> Option<Sql> {
    let (_, any) = readings.first()?;
    let wanted = readings.iter().map(|(part, reading)| {
        let condition = match of {
            Of::Visits => reading.filters(),
            Of::Events | Of::Attention => reading.wanted_of_events(),
        };
        (condition, mark(part, reading.values(part.query)))
    });
    let values = vec![sql![marks(wanted), " AS mark"]];
    let group = " GROUP BY mark".into();
    Some(match of {
        Of::Visits => {
            let fields = readings.iter().flat_map(|(_, reading)| reading.fields()).collect();
            any.visits_by(stretch, &fields, values, has_ended(stretch), group)
        }
        Of::Events | Of::Attention => {
            let columns = readings
                .iter()
                .map(|(part, _)| Columns::of(&part.query.dimensions, &part.query.filters));
            let columns = columns.reduce(|all, more| Some(all?.with(more?)))??;
            any.events_by(stretch, columns, values, COUNTED.into(), group)
        }
    })
}
