//! The older dialect of the reporting API: GET requests, translated into queries of their wire form.
//!
//! Nothing is computed differently: what a parameter means is said in the words of the newer dialect,
//! which is then read as if it had been asked. Only what the answer looks like differs, and that is
//! `report`'s matter.

mod filters;
mod period;
#[cfg(test)]
mod tests;
mod words;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use self::period::Span;
pub use self::words::in_its_words;
use super::dimension::{Field, GOAL, PROPERTIES};
use super::error::{Problems, QueryError};
use super::metric::Metric;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One number a metric.
    Aggregate,
    /// A row for each bucket of the period.
    Timeseries,
    /// A row for each value of a property.
    Breakdown,
}

/// The parameters of a request, in its order.
pub type Parameters = [(String, String)];

/// The most rows of a breakdown, and how many it has when nothing is said.
const LIMIT_MAX: u64 = 1_000;
const LIMIT_DEFAULT: u64 = 100;

/// Metrics of visits: they have no meaning beside single events.
const OF_VISITS: [&str; 3] = ["bounce_rate", "views_per_visit", "visit_duration"];

/// Dimensions of single events.
const OF_EVENTS: [&str; 2] = ["event:name", "event:goal"];

/// The properties that a breakdown can be by, beside each custom one.
pub fn properties() -> impl Iterator<Item = &'static str> {
    let fields = Field::ALL.iter().map(|field| field.spec().name);
    fields.filter(|name| *name != NOT_A_PROPERTY).chain([GOAL, PROPERTIES])
}

/// A dimension that this dialect only filters by.
const NOT_A_PROPERTY: &str = "event:hostname";

/// The query, in the wire form of the newer dialect, that the parameters come to when asked `today`.
///
/// # Errors
/// Parameters without meaning, all at once. What is wrong with the names of metrics and properties is
/// found when the query is read, and told by [`in_its_words`].
pub fn translate(kind: Kind, parameters: &Parameters, today: Date) -> Result<Value, QueryError> {
    let mut problems = Problems::default();
    let asked = Asked { parameters, today };
    let query = asked.query(kind, &mut problems);
    problems.finish(query)
}

struct Asked<'request> {
    parameters: &'request Parameters,
    today: Date,
}

impl Asked<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        Self::value(self.parameters, name)
    }

    fn value<'request>(parameters: &'request Parameters, name: &str) -> Option<&'request str> {
        let given = parameters.iter().find(|(given, _)| given == name);
        given.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    fn query(&self, kind: Kind, problems: &mut Problems) -> Option<Value> {
        let metrics: Vec<&str> =
            self.get("metrics").unwrap_or("visitors").split(',').map(str::trim).collect();
        let span = Span::parse(self, problems);
        let mut filters = filters::parse(self.get("filters").unwrap_or_default(), problems);
        let dimensions = match kind {
            Kind::Aggregate => Some(Vec::new()),
            Kind::Timeseries => span
                .as_ref()
                .and_then(|span| self.interval(span, problems))
                .map(|interval| vec![interval]),
            Kind::Breakdown => self.properties(problems),
        };
        let (span, filters_read, dimensions) = (span?, filters.as_mut()?, dimensions?);
        let filtered = filters_read.iter().filter_map(|filter| filter[1].as_str());
        let beside: Vec<&str> = dimensions.iter().map(String::as_str).chain(filtered).collect();
        refuse_visits_beside_events(&metrics, &beside, problems);
        refuse_attention_beside_events(&metrics, &beside, problems);

        let metrics: Vec<&str> =
            metrics.into_iter().map(|metric| named(metric, kind, &dimensions)).collect();
        let mut query = Map::new();
        query.insert("site_id".into(), json!(self.get("site_id").unwrap_or_default()));
        query.insert("metrics".into(), json!(metrics));
        query.insert("date_range".into(), span.to_wire());
        query.insert("dimensions".into(), json!(dimensions));
        if kind == Kind::Breakdown {
            query.insert("order_by".into(), order(&metrics, &dimensions));
            query.insert("pagination".into(), self.page(problems)?);
            filters_read
                .extend(dimensions.iter().filter_map(|dimension| without_blanks(dimension)));
        }
        query.insert("filters".into(), json!(filters_read));
        if let Some(comparisons) = self.comparison(kind, problems) {
            query.insert("include".into(), json!({ "comparisons": comparisons }));
        }
        Some(Value::Object(query))
    }

    fn interval(&self, span: &Span, problems: &mut Problems) -> Option<String> {
        let interval = match self.get("interval") {
            None => span.interval(),
            Some("day" | "date") => "time:day",
            Some("month") => "time:month",
            Some(other) => {
                return problems
                    .note("#/interval", format!("Invalid interval {other:?}: day or month."));
            }
        };
        Some(interval.to_owned())
    }

    /// The property that is asked for, with the one that says what a version is a version of.
    fn properties(&self, problems: &mut Problems) -> Option<Vec<String>> {
        let property = match self.get("property") {
            None => return problems.note("#/property", "Missing: the property to break down by."),
            Some(NOT_A_PROPERTY) => {
                let rule = "it cannot be broken down by.";
                return problems
                    .note("#/property", format!("Invalid property {NOT_A_PROPERTY:?}: {rule}"));
            }
            Some(time) if time.starts_with("time") => {
                return problems.note(
                    "#/property",
                    format!("Invalid property {time:?}: a time series is asked for elsewhere."),
                );
            }
            Some(property) => property,
        };
        let name = match property {
            "visit:browser_version" => Some("visit:browser"),
            "visit:os_version" => Some("visit:os"),
            _ => None,
        };
        Some([property].into_iter().chain(name).map(str::to_owned).collect())
    }

    fn page(&self, problems: &mut Problems) -> Option<Value> {
        let mut number = |name: &str, default: u64, most: u64| match self.get(name) {
            None => Some(default),
            Some(text) => {
                text.parse().ok().filter(|number| (1..=most).contains(number)).or_else(|| {
                    problems.note(
                        format!("#/{name}"),
                        format!("Invalid {name} {text:?}: a whole number from 1 to {most}."),
                    )
                })
            }
        };
        let (limit, page) =
            (number("limit", LIMIT_DEFAULT, LIMIT_MAX), number("page", 1, 1_000_000));
        let (limit, page) = (limit?, page?);
        Some(json!({ "limit": limit, "offset": limit * (page - 1) }))
    }

    fn comparison(&self, kind: Kind, problems: &mut Problems) -> Option<Value> {
        match self.get("compare") {
            Some("previous_period") if kind == Kind::Aggregate => {
                Some(json!({ "mode": "previous_period" }))
            }
            Some(other) if kind == Kind::Aggregate => {
                problems.note("#/compare", format!("Invalid compare {other:?}: previous_period."))
            }
            _ => None,
        }
    }
}

/// The metric, as the newer dialect calls it. In this one a rate of conversion is of the visitors of its
/// row, but for rows that are goals or values of a property: there it is of all.
fn named<'name>(metric: &'name str, kind: Kind, dimensions: &[String]) -> &'name str {
    let is_of_all = |name: &String| name == "event:goal" || name.starts_with("event:props");
    let is_by_row = kind != Kind::Aggregate && !dimensions.iter().any(is_of_all);
    if metric == Metric::ConversionRate.spec().name && is_by_row {
        return Metric::GroupConversionRate.spec().name;
    }
    metric
}

fn refuse_visits_beside_events(metrics: &[&str], beside: &[&str], problems: &mut Problems) {
    let of_event = |name: &&&str| OF_EVENTS.contains(*name) || name.starts_with("event:props");
    let Some(name) = beside.iter().find(of_event) else { return };
    let of_visits = |metric: &str| OF_VISITS.contains(&metric);
    let why = format!("a metric of visits cannot be combined with {name:?}.");
    refuse(metrics, of_visits, &why, problems);
}

/// Attention to a page is no event of its own: it has no name, and most goals are not met by it.
fn refuse_attention_beside_events(metrics: &[&str], beside: &[&str], problems: &mut Problems) {
    let Some(name) = beside.iter().find(|name| OF_EVENTS.contains(*name)) else { return };
    let of_attention = |metric: &str| Metric::named(metric).is_some_and(Metric::is_of_attention);
    let why = format!("a metric of attention to pages cannot be combined with {name:?}.");
    refuse(metrics, of_attention, &why, problems);
}

fn refuse(metrics: &[&str], is_refused: impl Fn(&str) -> bool, why: &str, problems: &mut Problems) {
    for (index, metric) in metrics.iter().enumerate().filter(|(_, metric)| is_refused(metric)) {
        let message = format!("Invalid metric {metric:?}: {why}");
        problems.note::<()>(format!("#/metrics/{index}"), message);
    }
}

/// By the first metric from the greatest, then by the property. What is sorted by no metric of its own is so when no
/// order is asked for, and by the property then as well.
fn order(metrics: &[&str], dimensions: &[String]) -> Value {
    if let [metric] = metrics
        && Metric::named(metric).is_some_and(Metric::is_sorted_by_visitors)
    {
        return json!([]);
    }
    let mut order = vec![json!([metrics[0], "desc"])];
    order.extend(
        dimensions
            .iter()
            .filter(|dimension| *dimension != "event:goal")
            .map(|dimension| json!([dimension, "asc"])),
    );
    json!(order)
}

/// The filter that leaves out the row of those of whom a property is not known, where this dialect
/// does not show it.
fn without_blanks(dimension: &str) -> Option<Value> {
    match Field::named(dimension)? {
        Field::City => Some(json!(["is_not", dimension, ["0"]])),
        Field::Country
        | Field::Region
        | Field::CountryName
        | Field::RegionName
        | Field::CityName
        | Field::UtmSource
        | Field::UtmMedium
        | Field::UtmCampaign
        | Field::UtmContent
        | Field::UtmTerm
        | Field::EntryPage
        | Field::ExitPage => Some(json!(["matches", dimension, ["."]])),
        _ => None,
    }
}
