//! A ranked list: the values of a dimension, each with its metrics. The panels of a site's page show the
//! beginning of one, and its own page all of it.

use serde_json::{Value, json};

use super::ask::{Asker, names, rows};
use super::figure::{Change, changed_briefly};
use super::filter::Filter;
use super::format::number;
use super::panels::left_out;
use super::shell::shown;
use super::view::View;
use super::words::Lang;
use crate::http::links::in_a_path;
use crate::query::metric::{Metric, percentage};
use crate::report::AskError;
use crate::report::floor::OTHER;

/// The dimension that is the names of properties.
pub(super) const PROPERTIES: &str = "event:props";
/// The dimensions whose values say nothing without those of another, and that one: a version is of a product.
const VERSIONS: [(&str, &str); 2] =
    [("visit:browser_version", "visit:browser"), ("visit:os_version", "visit:os")];
/// What blanks of a visit are called in filters.
const NOT_SET: &str = "(not set)";
/// So many days at most the lists of a site's page are compared: a quarter of a year.
const COMPARED_DAYS_MAX: i32 = 92;

/// How the rows of a list are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By a metric, the most first.
    Most(Metric),
    /// By a metric, the least first.
    Least(Metric),
    /// By the value of the dimension.
    Name,
}

impl Order {
    /// `visitors`, `-visitors` for the least first, or `name`; by the first metric otherwise.
    pub(super) fn read(text: Option<&str>, metrics: &[Metric]) -> Self {
        let metric = |name| Metric::named(name).filter(|metric| metrics.contains(metric));
        let first = metrics.first().copied().unwrap_or(Metric::Visitors);
        match text {
            Some("name") => Self::Name,
            Some(text) => match text.strip_prefix('-') {
                Some(name) => metric(name).map_or(Self::Most(first), Self::Least),
                None => Self::Most(metric(text).unwrap_or(first)),
            },
            None => Self::Most(first),
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::Most(metric) => metric.spec().name.to_owned(),
            Self::Least(metric) => format!("-{}", metric.spec().name),
            Self::Name => "name".to_owned(),
        }
    }

    /// What a click on the heading of a metric leads to: the most first, and then the least.
    pub(super) fn clicked(self, metric: Metric) -> Self {
        if self == Self::Most(metric) { Self::Least(metric) } else { Self::Most(metric) }
    }

    /// For assistive technology, the heading of a metric.
    pub(super) fn aria(self, metric: Metric) -> &'static str {
        match self {
            Self::Most(by) if by == metric => "descending",
            Self::Least(by) if by == metric => "ascending",
            _ => "none",
        }
    }

    /// What the answer is to be in the order of. Equals stand in the order of their names, so that the pages of a list do not
    /// overlap, where the query language has that order.
    fn to_query(self, dimensions: &[&str]) -> Value {
        // Shares are in the order of what they are shares of.
        let asked = |metric| match metric {
            Metric::Percentage => Metric::Visitors.spec().name,
            metric => metric.spec().name,
        };
        let by_metric = match self {
            Self::Most(metric) => Some(json!([asked(metric), "desc"])),
            Self::Least(metric) => Some(json!([asked(metric), "asc"])),
            Self::Name => None,
        };
        let by_name = dimensions.iter().filter(|dimension| has_order_by_name(dimension));
        by_metric.into_iter().chain(by_name.map(|dimension| json!([dimension, "asc"]))).collect()
    }
}

/// Whether a list can be in the order of its names: the query language has no such order of goals.
pub(super) fn has_order_by_name(dimension: &str) -> bool {
    dimension != "event:goal"
}

/// A row of a list.
pub(super) struct Row {
    pub(super) label: String,
    /// The view with a filter on it, where there are filters.
    pub(super) url: Option<String>,
    /// Each metric.
    pub(super) values: Vec<Written>,
    /// How the first of them has changed, where it was compared.
    pub(super) change: Option<Change>,
    /// The bar behind it, of a thousand.
    pub(super) share: u32,
}

/// From so much on money with cents is wider than a column on a telephone.
const MUCH_MONEY: f64 = 1_000.0;

/// A value of a metric, written.
pub(super) struct Written {
    pub(super) exact: String,
    /// Where there is little room: money in thousands or millions.
    pub(super) brief: Option<String>,
}

impl Written {
    fn of(lang: Lang, metric: Metric, value: &Value) -> Self {
        let brief = value["short"].as_str().filter(|_| number(value) >= MUCH_MONEY);
        Self { exact: lang.exact(metric, value), brief: brief.map(|money| lang.money(money)) }
    }
}

/// What a list by a dimension is told by, that dimension last. Whoever is told no small numbers is told by one dimension alone.
pub(super) fn dimensions<'a>(asker: &Asker, dimension: &'a str) -> Vec<&'a str> {
    let product = product_of(dimension).filter(|_| asker.floor.is_none());
    product.into_iter().chain([dimension]).collect()
}

pub(super) fn product_of(dimension: &str) -> Option<&'static str> {
    let known = VERSIONS.iter().find(|(version, _)| *version == dimension);
    known.map(|(_, product)| *product)
}

/// What is searched for in a list, as a filter: people look for a version by its product as well.
pub(super) fn searched(lang: Lang, dimension: &str, text: &str) -> Value {
    let contains = |dimension: &str| Filter::contains(dimension, text).to_query(lang);
    match product_of(dimension) {
        Some(product) => json!(["or", [contains(product), contains(dimension)]]),
        None => contains(dimension),
    }
}

/// The question that a list answers. `with` are filters beyond those of the view. Shares are not asked for where they are
/// filled in.
pub(super) fn query(
    asker: &Asker,
    dimension: &str,
    metrics: &[Metric],
    order: Order,
    with: Vec<Value>,
) -> Value {
    let mut filters = asker.view.filters(asker.lang);
    filters.extend(with);
    filters.extend(left_out(dimension));
    let dimensions = dimensions(asker, dimension);
    let fills_in = place_of_shares(asker, metrics).is_some();
    let asked = metrics.iter().copied();
    let asked = asked.filter(|metric| !(fills_in && *metric == Metric::Percentage));
    asker.query(json!({
        "metrics": names(&asked.collect::<Vec<_>>()), "order_by": order.to_query(&dimensions),
        "dimensions": dimensions, "filters": filters,
    }))
}

/// What the rows of a list are compared with. Where small numbers are not told, what was one would seem to be new.
pub(super) fn comparison(asker: &Asker) -> Option<Value> {
    asker.comparison().filter(|_| asker.floor.is_none())
}

/// The same of the lists of a site's page. Each is read for both periods then, which may be long: under a filter the page would take half
/// as long again, so that there all of a list alone is compared.
pub(super) fn comparison_in_brief(asker: &Asker) -> Option<Value> {
    let days = asker.parse(&asker.query(json!({})))?.period().days();
    comparison(asker).filter(|_| days <= COMPARED_DAYS_MAX)
}

/// Asks a list's question, and fills in the shares of its rows.
pub(super) async fn ask(
    asker: &Asker,
    query: &Value,
    metrics: &[Metric],
) -> Result<Value, AskError> {
    let visitors = async {
        match place_of_shares(asker, metrics) {
            Some(_) => asker.ask(&asker.query(json!({}))).await,
            None => Ok(Value::Null),
        }
    };
    let (mut answer, visitors) = tokio::try_join!(asker.ask(query), visitors)?;
    fill_in_shares(asker, &mut answer, metrics, number(&visitors["results"][0]["metrics"][0]));
    Ok(answer)
}

/// Where the metrics of a list have the shares of its rows, if those are to be filled in. A share is of all visitors of the
/// view, whatever the list leaves out and whatever is searched for in it; to the query language it would be of those who are left.
/// Whoever is told no small numbers is told shares of all in any case.
fn place_of_shares(asker: &Asker, metrics: &[Metric]) -> Option<usize> {
    let place = metrics.iter().position(|metric| *metric == Metric::Percentage);
    place.filter(|_| asker.floor.is_none())
}

/// Puts the shares of the view's visitors among the numbers of an answer's rows, rounded as the query language rounds them.
pub(super) fn fill_in_shares(asker: &Asker, answer: &mut Value, metrics: &[Metric], visitors: f64) {
    let Some(place) = place_of_shares(asker, metrics) else { return };
    for row in answer["results"].as_array_mut().into_iter().flatten() {
        // Visitors come first in every list.
        let share = percentage(number(&row["metrics"][0]), visitors);
        if let Some(numbers) = row["metrics"].as_array_mut() {
            numbers.insert(place.min(numbers.len()), share);
        }
    }
}

/// The rows of its answer.
pub(super) fn shown_rows(
    asker: &Asker,
    dimension: &str,
    metrics: &[Metric],
    answer: &Value,
) -> Vec<Row> {
    let rows = rows(answer);
    let highest = rows.iter().map(|row| number(&row["metrics"][0])).fold(1.0, f64::max);
    let home = asker.home();
    let dimensions = dimensions(asker, dimension);
    let row = |row: &Value| {
        let values = row["dimensions"].as_array().into_iter().flatten();
        let values: Vec<&str> = values.map(|value| value.as_str().unwrap_or_default()).collect();
        let value = values.last().copied().unwrap_or_default();
        let told = || dimensions.iter().copied().zip(values.iter().copied());
        let label = |(dimension, value)| shown(asker.lang, dimension, value);
        let filtered = |view: View, (dimension, value): (&str, &str)| {
            let wanted = if value.is_empty() { NOT_SET } else { value };
            view.with_filter(Filter::is(dimension, wanted))
        };
        let written = metrics.iter().zip(row["metrics"].as_array().into_iter().flatten());
        Row {
            label: match (value, asker.floor) {
                (OTHER, Some(_)) => asker.words().small_numbers.to_owned(),
                _ => told().map(label).collect::<Vec<_>>().join(" "),
            },
            url: asker.floor.is_none().then(|| match dimension {
                // A property is no value: it has a list of its own.
                PROPERTIES => {
                    let list = in_a_path(&format!("{PROPERTIES}:{value}"));
                    format!("{home}/by/{list}{}", asker.view.url())
                }
                _ => home.clone() + &told().fold(asker.view.clone(), filtered).url(),
            }),
            values: written
                .map(|(metric, value)| Written::of(asker.lang, *metric, value))
                .collect(),
            change: metrics.first().and_then(|metric| changed_briefly(asker.lang, *metric, 0, row)),
            share: (1000.0 * number(&row["metrics"][0]) / highest) as u32,
        }
    };
    rows.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_its_text() {
        let metrics = [Metric::Visitors, Metric::BounceRate];
        for text in ["visitors", "-bounce_rate", "name"] {
            assert_eq!(Order::read(Some(text), &metrics).text(), text);
        }
        for text in [None, Some("-luck"), Some("pageviews"), Some("")] {
            assert_eq!(Order::read(text, &metrics), Order::Most(Metric::Visitors), "{text:?}");
        }
    }

    #[test]
    fn goals_are_in_the_order_of_a_metric_and_never_of_their_names() {
        let order = |order: Order, dimension| order.to_query(&[dimension]);
        let revenue = Metric::TotalRevenue;
        assert_eq!(order(Order::Most(revenue), "event:goal"), json!([["total_revenue", "desc"]]));
        assert_eq!(order(Order::Least(revenue), "event:goal"), json!([["total_revenue", "asc"]]));
        assert_eq!(order(Order::Name, "event:goal"), json!([]));
        let by_share = order(Order::Least(Metric::Percentage), "event:page");
        assert_eq!(by_share, json!([["visitors", "asc"], ["event:page", "asc"]]));
        assert_eq!(order(Order::Name, "event:page"), json!([["event:page", "asc"]]));
        let versions = Order::Name.to_query(&["visit:os", "visit:os_version"]);
        assert_eq!(versions, json!([["visit:os", "asc"], ["visit:os_version", "asc"]]));
    }

    #[test]
    fn a_version_is_searched_by_its_product_as_well() {
        let part = |dimension| json!(["contains", dimension, ["win"], {"case_sensitive": false}]);
        assert_eq!(
            searched(Lang::English, "visit:os_version", "win"),
            json!(["or", [part("visit:os"), part("visit:os_version")]])
        );
        assert_eq!(searched(Lang::English, "visit:os", "win"), part("visit:os"));
    }

    #[test]
    fn much_money_is_written_briefly_where_there_is_little_room() {
        let written = |metric, value: Value| {
            let Written { exact, brief } = Written::of(Lang::English, metric, &value);
            (exact, brief)
        };
        let money = |value: f64, short: &str, long: &str| {
            let money = json!({"value": value, "currency": "EUR", "short": short, "long": long});
            written(Metric::TotalRevenue, money)
        };
        let (exact, brief) = money(587_405.0, "€587.4K", "€587,405.00");
        assert_eq!((exact.as_str(), brief.as_deref()), ("€587,405.00", Some("€587.4K")));
        let (exact, brief) = money(999.5, "€999.5", "€999.50");
        assert_eq!((exact.as_str(), brief), ("€999.50", None));
        let (exact, brief) = written(Metric::Visitors, json!(1_234_567));
        assert_eq!((exact.as_str(), brief), ("1,234,567", None));
    }

    #[test]
    fn a_second_click_turns_the_order_round() {
        let order = Order::Most(Metric::Visitors);
        assert_eq!(order.clicked(Metric::Visitors), Order::Least(Metric::Visitors));
        assert_eq!(order.clicked(Metric::BounceRate), Order::Most(Metric::BounceRate));
        assert_eq!(order.aria(Metric::BounceRate), "none");
    }
}
