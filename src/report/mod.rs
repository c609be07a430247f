//! Reports: a query is asked, ClickHouse answers, and the answer takes the form of the wire.
//!
//! The one way to a number: the HTTP API, the command line and the dashboard all come through
//! [`ask`]. What may be asked is `query`'s matter, and who may ask that of `http`.

mod comparison;
mod fill;
pub mod floor;
pub mod format;
mod funnel;
mod gathering;
mod journey;
mod money;
mod several;
mod v1;

use futures_util::FutureExt;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub use self::comparison::{Compared, is_in_points};
pub use self::funnel::ask_funnel;
pub use self::gathering::Gathering;
pub use self::journey::ask_journey;
use self::money::money;
pub use self::several::{Answers, ask_several};
pub use self::v1::{ask_v1, visitors_now};
use crate::query::metric::Unit;
use crate::query::revenue::Revenue;
use crate::query::{
    Closed, Known, Page, Query, QueryError, Statement, Wire, compile, first_event, may_add_up,
    total_rows,
};
use crate::site::Site;
use crate::store::{Store, StoreError};

/// A question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The query is wrong, and this is what is wrong with it: a line each, with a JSON pointer.
    #[error("{0}")]
    Invalid(String),
    /// The database did not answer.
    #[error(transparent)]
    Store(StoreError),
}

impl From<QueryError> for AskError {
    fn from(error: QueryError) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// Refuses a question that has no answer for a reader who is told no small numbers.
fn refuse_the_floored(known: &Known<'_>, what: &str) -> Result<(), AskError> {
    match known.floor {
        None => Ok(()),
        Some(_) => Err(AskError::Invalid(format!(
            "#: Small numbers are not told to this reader, and {what} could tell of few."
        ))),
    }
}

/// How often a report is computed from closed days, while these change.
const TRIES: usize = 2;

/// ClickHouse's code for a regular expression that is none.
const CANNOT_COMPILE_REGEXP: u32 = 427;

impl From<StoreError> for AskError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Rejected { code: CANNOT_COMPILE_REGEXP, .. } => {
                let rule = "a value of `matches` is not a regular expression in the syntax of RE2";
                Self::Invalid(format!("#/filters: Invalid pattern: {rule}."))
            }
            other => Self::Store(other),
        }
    }
}

/// The same, which names the patterns of the query of which one is none.
fn refused(error: StoreError, query: &Query) -> AskError {
    let patterns: Vec<String> =
        query.patterns().map(|pattern| json!(pattern).to_string()).collect();
    match error {
        StoreError::Rejected { code: CANNOT_COMPILE_REGEXP, .. } if !patterns.is_empty() => {
            let rule = "one of these is no regular expression in the syntax of RE2";
            let patterns = patterns.join(", ");
            AskError::Invalid(format!("#/filters: Invalid pattern: {rule}: {patterns}."))
        }
        other => other.into(),
    }
}

/// Answers a query in its wire form with a report in its wire form. `now` is the moment of asking.
///
/// # Errors
/// [`AskError::Invalid`] when the query is wrong, [`AskError::Store`] when there is no answer to it.
pub async fn ask(
    store: &Store,
    site: &Site,
    now: Timestamp,
    query: &Value,
) -> Result<Value, AskError> {
    ask_knowing(store, Known::new(site, now), query).await
}

/// As [`ask`], with all that is known of the site. When it began is found out where it matters.
///
/// # Errors
/// As [`ask`].
pub async fn ask_knowing(
    store: &Store,
    known: Known<'_>,
    query: &Value,
) -> Result<Value, AskError> {
    ask_beside(store, &Gathering::default(), known, query).await
}

/// As [`ask_knowing`], beside other queries of the site.
///
/// # Errors
/// As [`ask`].
pub async fn ask_beside(
    store: &Store,
    others: &Gathering,
    known: Known<'_>,
    query: &Value,
) -> Result<Value, AskError> {
    let wire = Wire::parse(query, known.segments)?;
    let first_event = match wire.needs_first_event() {
        true => others.beginning(store, &known).await?,
        false => None,
    };
    let query = Query::resolve(wire, &Known { first_event, ..known })?;
    Ok(answer_beside(store, others, &query).await?.to_wire())
}

/// Answers a query.
///
/// # Errors
/// [`AskError::Store`] when ClickHouse does not answer, or stops at a limit; [`AskError::Invalid`]
/// for what only ClickHouse can find wrong, a regular expression.
pub async fn answer(store: &Store, query: &Query) -> Result<Report, AskError> {
    answer_beside(store, &Gathering::default(), query).await
}

/// As [`answer`], beside other queries of the site.
///
/// # Errors
/// As [`answer`].
pub async fn answer_beside(
    store: &Store,
    gathering: &Gathering,
    query: &Query,
) -> Result<Report, AskError> {
    let other = query.compared();
    let others = async {
        match &other {
            Some(other) => read(store, gathering, other).await.map(Some),
            None => Ok(None),
        }
    };
    let filling = query.include().zero_fill.then(|| query.to_fill());
    let wanted = filling.as_ref().unwrap_or(query);
    let (rows, others, total_rows) =
        tokio::try_join!(read(store, gathering, wanted), others, count(store, query))
            .map_err(|error| refused(error, query))?;
    let (rows, total_rows) = match filling {
        None => (rows, total_rows),
        Some(_) => {
            let rows = fill::filled(rows, query)?;
            let total_rows = query.include().total_rows.then_some(rows.len() as u64);
            (page(rows, query.page()), total_rows)
        }
    };
    let compared = match (others, &other) {
        (Some(others), Some(other)) => comparison::pair(&rows, query, &others, other),
        _ => Vec::new(),
    };
    Ok(Report { query: query.clone(), rows, compared, total_rows })
}

async fn read(store: &Store, gathering: &Gathering, query: &Query) -> Result<Vec<Row>, StoreError> {
    if let Some(floored) = query.floored() {
        return Ok(page(floor::read(store, query, floored).await?, query.page()));
    }
    // On the heap: a page's future has a dozen of these in it, more than a thread's stack takes in a build for tests.
    let alone = added_up(store, query, compile).boxed();
    let rows = gathering.read(store, query, alone).await?;
    Ok(rows.into_iter().map(|row| Row::of(row, query)).collect())
}

/// The rows of one page, of all of them.
fn page(rows: Vec<Row>, page: Page) -> Vec<Row> {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    rows.into_iter().skip(whole(page.offset)).take(whole(page.limit)).collect()
}

/// How many rows there are without pagination, if that is asked for.
async fn count(store: &Store, query: &Query) -> Result<Option<u64>, StoreError> {
    // Filled rows are counted where they are made.
    if !query.include().total_rows || query.include().zero_fill {
        return Ok(None);
    }
    if let Some(floored) = query.floored() {
        let rows = floor::read(store, query, floored).await?;
        return Ok(Some(rows.len() as u64));
    }
    let rows = added_up(store, query, total_rows).await?;
    Ok(single(&rows).and_then(Value::as_u64))
}

/// Runs a query's statement with the days that are closed. What it reads of them must hold until it has
/// ended: otherwise it is run again, and at last without them.
async fn added_up(
    store: &Store,
    query: &Query,
    statement: fn(&Query, &Closed) -> Statement,
) -> Result<Vec<Vec<Value>>, StoreError> {
    if may_add_up(query) {
        let (site, zone) = (query.site(), query.period().zone());
        let mut closed = store.days_found_closed(site, zone).await?.within(query);
        for _ in 0..TRIES {
            if closed.are_few() {
                break;
            }
            let statement = statement(query, &closed);
            let (rows, now) = store.select_of_closed_days(&statement, site, zone).await?;
            let now = now.within(query);
            if now.holds(&closed) {
                return Ok(rows);
            }
            closed = now;
        }
    }
    store.select(&statement(query, &Closed::none())).await
}

/// The site's first event, if it has any.
///
/// # Errors
/// [`AskError::Store`] when ClickHouse does not answer.
pub async fn when_it_began(store: &Store, site: &Site) -> Result<Option<Timestamp>, AskError> {
    let rows = store.select(&first_event(site.id)).await?;
    let second = single(&rows).and_then(Value::as_i64).filter(|second| *second > 0);
    Ok(second.and_then(|second| Timestamp::from_second(second).ok()))
}

fn single(rows: &[Vec<Value>]) -> Option<&Value> {
    rows.first()?.first()
}

/// A query and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    query: Query,
    rows: Vec<Row>,
    /// What each row is compared with; empty without a comparison.
    compared: Vec<Compared>,
    total_rows: Option<u64>,
}

/// One row of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The values of the dimensions, in the order of the query.
    pub dimensions: Vec<Value>,
    /// The values of the metrics, in the order of the query; null where there is none.
    pub metrics: Vec<Value>,
}

impl Row {
    /// A row as the statement returns it: dimensions, then metrics.
    fn of(mut values: Vec<Value>, query: &Query) -> Self {
        let metrics = values.split_off(query.dimensions().len().min(values.len()));
        let currency = query.revenue().currency(&values);
        let metrics = query
            .metrics()
            .iter()
            .zip(metrics)
            .map(|(metric, value)| number(value, metric.unit(), currency));
        Self { metrics: metrics.collect(), dimensions: values }
    }
}

/// Numbers with decimals are written with them, `2.0`, whatever the value.
fn number(value: Value, unit: Unit, currency: Option<&str>) -> Value {
    match unit {
        Unit::Money => money(&value, currency),
        unit if unit.has_decimals() => value.as_f64().map_or(value, |number| json!(number)),
        _ => value,
    }
}

impl Report {
    /// The query, as it was understood.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The rows, in the order that was asked for.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What each row is compared with, in the order of the rows; empty without a comparison.
    pub fn compared(&self) -> &[Compared] {
        &self.compared
    }

    /// The report as the API answers.
    pub fn to_wire(&self) -> Value {
        let row = |row: &Row| json!({ "metrics": row.metrics, "dimensions": row.dimensions });
        let mut results: Vec<Value> = self.rows.iter().map(row).collect();
        for (result, compared) in results.iter_mut().zip(&self.compared) {
            result["comparison"] = row(&compared.row);
            result["comparison"]["change"] = json!(compared.change);
        }
        json!({
            "results": results,
            "meta": self.meta(),
            "query": self.query.to_wire(),
        })
    }

    fn meta(&self) -> Map<String, Value> {
        let mut meta = Map::new();
        if self.query.include().imports {
            // Imported events are events like all others; there is no second store of them to add.
            meta.insert("imports_included".into(), json!(false));
        }
        if let Some(interval) = self.query.interval().filter(|_| self.query.include().time_labels) {
            meta.insert("time_labels".into(), json!(interval.labels(self.query.period())));
        }
        if let Revenue::Untold(why) = self.query.revenue() {
            let of_money =
                self.query.metrics().iter().filter(|metric| metric.unit() == Unit::Money);
            let warnings: Map<_, _> =
                of_money.map(|metric| (metric.to_string(), why.to_wire())).collect();
            if !warnings.is_empty() {
                meta.insert("metric_warnings".into(), Value::Object(warnings));
            }
        }
        if let Some(total_rows) = self.total_rows {
            meta.insert("total_rows".into(), json!(total_rows));
        }
        meta
    }
}
