//! What the rows of a report are shares of: reports of their own, less narrow than the report.

use super::{Closed, rows};
use crate::query::Query;
use crate::query::dimension::{Dimension, Field};
use crate::query::filter::{Filter, Subject};
use crate::query::metric::{Metric, Whole};
use crate::query::statement::{Sql, sql};

/// The subquery that has the number in [`Whole::column`], and the dimensions, by their places in
/// the report, that it is broken down by.
pub(super) fn subquery(query: &Query, whole: Whole, closed: &Closed) -> (Sql, Vec<usize>) {
    let (wider, kept) = wider(query, whole);
    let dimensions = kept
        .iter()
        .enumerate()
        .map(|(own, reports)| sql![Sql::name("d", own), " AS ", Sql::name("k", *reports)]);
    let metric = wider.metrics[0].column(0);
    let columns = dimensions.chain([sql![metric, " AS ", whole.column()]]);
    (sql!["SELECT ", Sql::join(columns, ", "), " FROM (", rows(&wider, closed), ")"], kept)
}

/// The less narrow report of one metric, and the dimensions, by their places in the report, that it has.
pub(super) fn wider(query: &Query, whole: Whole) -> (Query, Vec<usize>) {
    let kept: Vec<usize> = match whole {
        Whole::Report | Whole::Unconverted => Vec::new(),
        Whole::UnconvertedRow => {
            let tells_of_conversion = |index: &usize| {
                matches!(
                    query.dimensions[*index],
                    Dimension::Goal(_) | Dimension::Property(_) | Dimension::Properties
                )
            };
            (0..query.dimensions.len()).filter(|index| !tells_of_conversion(index)).collect()
        }
        Whole::PageOfExit => vec![0],
    };
    let metric = if whole == Whole::PageOfExit { Metric::Pageviews } else { Metric::Visitors };
    let wider = Query {
        metrics: vec![metric.into()],
        dimensions: kept.iter().map(|index| dimension(&query.dimensions[*index], whole)).collect(),
        filters: query
            .filters
            .iter()
            .filter(|filter| keeps(query, filter, whole))
            .cloned()
            .collect(),
        order: Vec::new(),
        ..query.clone()
    };
    (wider, kept)
}

fn dimension(dimension: &Dimension, whole: Whole) -> Dimension {
    match whole {
        Whole::PageOfExit => Dimension::Field(Field::Page),
        Whole::Report | Whole::Unconverted | Whole::UnconvertedRow => dimension.clone(),
    }
}

/// Whether the wider report has the filter, too.
fn keeps(query: &Query, filter: &Filter, whole: Whole) -> bool {
    let Filter::Test(test) = filter else { return true };
    if query.within.contains(filter) {
        return true;
    }
    match whole {
        Whole::Report => true,
        Whole::Unconverted | Whole::UnconvertedRow => matches!(test.subject, Subject::Field(_)),
        Whole::PageOfExit => test.subject != Subject::Field(Field::ExitPage),
    }
}
