//! Several subqueries over numbers that are added up, as one: see [`super::super::together`].
//!
//! The closed days' numbers, and what lies between closed days, are read once for all.

use super::super::conditions::COUNTED;
use super::super::plan::Computed;
use super::super::together::{NAMES, Part, Sets, Wanted};
use super::Closed;
use super::by::{By, Of};
use super::columns::Columns;
use super::read::{Reading, as_a_row, formula, has_ended, is_of_people, there_is_a_row};
use super::split::{Split, Stretch, Told};
use crate::query::dimension::Dimension;
use crate::query::statement::{Sql, sql};

/// The parts by their marks, dimensions and metrics; `None` if closed days do not tell one of them, or are too few.
pub(in crate::query::compile) fn together(
    parts: &[Part],
    metrics: &[Computed],
    of: Of,
    closed: &Closed,
) -> Option<Sql> {
    let readings = parts.iter().map(|part| Some((part, reading(part, of, closed)?)));
    let readings: Vec<(&Part, Reading)> = readings.collect::<Option<_>>()?;
    let (_, any) = readings.first()?;
    let told = match of {
        Of::Visits if readings.iter().any(|(_, reading)| reading.by.is_of_events()) => {
            Told::VisitsWith
        }
        Of::Visits => Told::Visits,
        Of::Events | Of::Attention => Told::Events,
    };
    let split = Split::of(any.query, closed, told)?;
    let stretches = split.stretches.iter().map(|stretch| stretch_of(parts, &readings, of, stretch));
    let stretches = stretches.collect::<Option<Vec<Sql>>>()?;
    let arms = std::iter::once(closed_days(&readings, of, &split)?).chain(stretches);
    let formulas = metrics
        .iter()
        .map(|(metric, _)| Some(sql![", ", formula(*metric, of)?, " AS ", metric.spec().name]))
        .collect::<Option<Vec<Sql>>>()?;
    // Without dimensions there is always a row.
    let always = readings.iter().filter(|(part, _)| part.query.dimensions.is_empty());
    let always = always.map(|(part, _)| u64::from(part.mark)).collect();
    let only_people = readings.iter().filter(|(_, reading)| reading.only_people);
    let only_people = only_people.map(|(part, _)| u64::from(part.mark)).collect();
    Some(sql![
        "SELECT q, e0, e1",
        Sql::join(formulas, ""),
        " FROM (",
        Sql::join(arms, " UNION ALL "),
        ") GROUP BY q, e0, e1 HAVING q IN ",
        Sql::numbers(always),
        " OR if(q IN ",
        Sql::numbers(only_people),
        ", ",
        there_is_a_row(of, true),
        ", ",
        there_is_a_row(of, false),
        ")",
    ])
}

/// How a part is read; `None` where that is not by sums, or not by those of whole days.
fn reading<'query>(part: &Part<'query>, of: Of, closed: &'query Closed) -> Option<Reading<'query>> {
    let by = By::of(part.query, of)?;
    let only_people = part.metrics.iter().all(|(metric, _)| is_of_people(*metric));
    let query = part.query;
    by.is_of_days().then_some(Reading { query, of, by, only_people, of_revenue: false, closed })
}

/// What the closed days' numbers add, a row of `daily` for each of the parts that it is kept for.
fn closed_days(readings: &[(&Part, Reading)], of: Of, split: &Split) -> Option<Sql> {
    let (_, any) = readings.first()?;
    let [q, ..] = NAMES;
    let each = |told: &dyn Fn(&Reading) -> Option<Sql>, otherwise: &'static str| {
        let each = readings.iter().filter_map(|(part, reading)| {
            Some(sql![q, " = ", Sql::number(part.mark), ", ", told(reading)?, ", "])
        });
        sql!["multiIf(", Sql::join(each, ""), "0, ", otherwise, ", ", otherwise, ")"]
    };
    let of_parts = readings.iter().map(|(part, reading)| {
        let kept = Sql::text(reading.by.name());
        sql!["if(dimension = ", kept, ", [", Sql::number(part.mark), "], [])"]
    });
    let mut kept: Vec<String> = readings.iter().map(|(_, reading)| reading.by.name()).collect();
    kept.sort_unstable();
    kept.dedup();
    let fields = readings.iter().flat_map(|(_, reading)| reading.fields()).collect();
    let values = NAMES[1..].iter().enumerate().map(|(place, name)| {
        let value = each(&|reading| reading.values(reading.query).into_iter().nth(place), "''");
        sql![value, " AS ", *name]
    });
    let in_the_same_row = |reading: &Reading| reading.has_the_day_before_in_the_same_row();
    let is_carried = sql![any.is_after_the_first(), " AND ", each(&in_the_same_row, "1")];
    let columns =
        any.columns().map(|column| sql![column.of_closed_day(&is_carried), " AS ", column.name]);
    let by_field = |reading: &Reading| matches!(reading.by, By::Field(_));
    let wanted = each(&|reading| by_field(reading).then(|| reading.filters_of_closed_days()), "1");
    Some(sql![
        "SELECT ",
        Sql::join([q.into()].into_iter().chain(values).chain(columns), ", "),
        " FROM (SELECT *, toUInt8(arrayJoin(arrayConcat(",
        Sql::join(of_parts, ", "),
        "))) AS ",
        q,
        as_a_row(of, &fields, &any.query.period),
        " FROM daily WHERE counted = '",
        of.name(),
        "' AND dimension IN ",
        Sql::texts(kept),
        " AND ",
        split.condition(any.query),
        ") WHERE ",
        wanted,
    ])
}

/// What is counted in a stretch.
fn stretch_of(
    parts: &[Part],
    readings: &[(&Part, Reading)],
    of: Of,
    stretch: &Stretch,
) -> Option<Sql> {
    let (_, any) = readings.first()?;
    let sets = Sets::of(readings.iter().map(|(part, reading)| {
        let wanted = match of {
            Of::Visits => reading.filters_in(stretch),
            Of::Events | Of::Attention => reading.wanted_of_events(),
        };
        let value = |dimension: &Dimension| reading.value(dimension, part.query);
        (Wanted::Rows(wanted), part.query.dimensions.as_slice(), value)
    }));
    let counted = match of {
        Of::Visits => {
            let fields = readings.iter().flat_map(|(_, reading)| reading.fields_of_visits());
            let fields = fields.collect();
            any.visits_by(stretch, fields, sets.values(), has_ended(stretch), sets.group())
        }
        Of::Events | Of::Attention => {
            let columns =
                parts.iter().map(|part| Columns::of(&part.query.dimensions, &part.query.filters));
            let columns = columns.reduce(|all, more| Some(all?.with(more?)))??;
            any.events_by(stretch, columns, sets.values(), COUNTED.into(), sets.group())
        }
    };
    Some(sets.told(parts, counted, any.columns().map(|column| column.name)))
}
