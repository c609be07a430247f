//! All of a list: every value of a dimension with every metric, page by page, searched and ordered.

use askama::Template;
use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use url::form_urlencoded::{self, Serializer};

use super::ask::Asker;
use super::columns;
use super::filter::Filter;
use super::frame::{Frame, Link, page};
use super::live::visitors_now;
use super::ranking::{self, Order, Row};
use super::shell::{Shell, owned};
use super::site::Column;
use super::words::{Lang, fill, names};
use crate::http::links::in_a_path;
use crate::query::metric::Metric;
use crate::report::AskError;

/// How many rows a page has.
const PAGE_ROWS: u64 = 50;

/// What of a list is looked at, as its URL says.
#[derive(Clone, Default)]
struct Wanted {
    order: Option<String>,
    search: String,
    /// From 1.
    page: u64,
}

impl Wanted {
    fn read(query: &str) -> Self {
        let mut wanted = Self { page: 1, ..Self::default() };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "order" => wanted.order = Some(value.into_owned()),
                "search" => wanted.search = value.into_owned(),
                // So many pages that the offset overflows there can not be.
                "page" => wanted.page = value.parse().unwrap_or(1).clamp(1, 1_000_000),
                _ => {}
            }
        }
        wanted
    }

    /// The URL of another state of the same list.
    fn url(&self, asker: &Asker) -> String {
        let mut query = Serializer::for_suffix(asker.view.url(), 1);
        if let Some(order) = &self.order {
            query.append_pair("order", order);
        }
        if !self.search.is_empty() {
            query.append_pair("search", &self.search);
        }
        if self.page > 1 {
            query.append_pair("page", &self.page.to_string());
        }
        query.finish()
    }

    fn ordered(&self, order: Order) -> Self {
        Self { order: Some(order.text()), page: 1, ..self.clone() }
    }

    fn at(&self, page: u64) -> Self {
        Self { page, ..self.clone() }
    }

    /// What is searched, as a filter.
    fn filters(&self, lang: Lang, dimension: &str) -> Vec<Value> {
        if self.search.is_empty() {
            return Vec::new();
        }
        vec![Filter::contains(dimension, &self.search).to_query(lang)]
    }
}

#[derive(Template)]
#[template(path = "details.html")]
struct DetailsPage {
    frame: Frame,
    shell: Shell,
    title: String,
    /// Other dimensions of the same panel.
    tabs: Vec<Link>,
    /// The list in the order of its names, if it has one.
    by_name: Option<String>,
    name_aria: &'static str,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// Which rows these are.
    place: String,
    previous: Option<String>,
    next: Option<String>,
    search: String,
    /// Empty where the list can not be searched.
    search_label: String,
    order: Option<String>,
    hidden: Vec<(String, String)>,
    csv: String,
    query: String,
}

pub(super) async fn show(
    asker: Asker,
    Path((_, dimension)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    match model(&asker, &dimension, &Wanted::read(query.as_deref().unwrap_or_default())).await {
        Ok(model) => page(StatusCode::OK, &model),
        Err(error) => asker.refuse(&error),
    }
}

async fn model(asker: &Asker, dimension: &str, wanted: &Wanted) -> Result<DetailsPage, AskError> {
    let metrics = columns::all(asker, dimension);
    let order = Order::read(wanted.order.as_deref(), &metrics);
    let offset = (wanted.page - 1) * PAGE_ROWS;
    let mut query =
        ranking::query(asker, dimension, &metrics, order, wanted.filters(asker.lang, dimension));
    query["pagination"] = json!({ "limit": PAGE_ROWS, "offset": offset });
    query["include"] = json!({ "total_rows": true });
    let (answer, now) = tokio::try_join!(asker.ask(&query), visitors_now(asker))?;
    let total = answer["meta"]["total_rows"].as_u64().unwrap_or(0);
    let rows = ranking::shown_rows(asker, dimension, &metrics, &answer);
    let (words, last) = (asker.words(), offset + rows.len() as u64);
    let whole = |number: u64| asker.lang.whole(number as f64);
    let title = names::dimension(asker.lang, dimension);
    let column = |metric: &Metric| Column {
        label: names::metric(asker.lang, *metric),
        url: wanted.ordered(order.clicked(*metric)).url(asker),
        aria: order.aria(*metric),
    };
    Ok(DetailsPage {
        frame: asker.frame(),
        tabs: tabs(asker, dimension),
        by_name: ranking::has_order_by_name(dimension)
            .then(|| wanted.ordered(Order::Name).url(asker)),
        name_aria: if order == Order::Name { "ascending" } else { "none" },
        columns: metrics.iter().map(column).collect(),
        place: fill(words.rows_of, &[&whole(offset + 1), &whole(last), &whole(total)]),
        previous: (wanted.page > 1).then(|| wanted.at(wanted.page - 1).url(asker)),
        next: (last < total).then(|| wanted.at(wanted.page + 1).url(asker)),
        search_label: match dimension {
            ranking::PROPERTIES => String::new(),
            _ => fill(words.search_in, &[&title]),
        },
        search: wanted.search.clone(),
        order: wanted.order.clone(),
        hidden: owned(asker.view.pairs()),
        csv: format!("{}/csv/{}{}", asker.home(), in_a_path(dimension), wanted.at(1).url(asker)),
        query: serde_json::to_string_pretty(&answer["query"]).unwrap_or_default(),
        shell: Shell::of(asker, now),
        title,
        rows,
    })
}

/// The dimensions of the panel that has this one, as links to their own pages.
fn tabs(asker: &Asker, dimension: &str) -> Vec<Link> {
    let panel = super::panels::PANELS.iter().find(|panel| {
        panel.tabs.iter().any(|tab| tab.dimension == dimension && tab.event.is_none())
    });
    let tabs = panel.into_iter().flat_map(|panel| panel.offered(asker));
    let link = |tab: &super::panels::Tab| Link {
        label: tab.label(asker.lang),
        url: format!("{}/by/{}{}", asker.home(), tab.dimension, asker.view.url()),
        is_current: tab.dimension == dimension,
    };
    tabs.filter(|tab| tab.event.is_none() && !tab.has_map).map(link).collect()
}

/// The order and the filter of a list, for its CSV.
pub(super) fn whole_list(asker: &Asker, dimension: &str, url: &str, metrics: &[Metric]) -> Value {
    let wanted = Wanted::read(url);
    let order = Order::read(wanted.order.as_deref(), metrics);
    ranking::query(asker, dimension, metrics, order, wanted.filters(asker.lang, dimension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_and_languages_are_searched_by_the_names_that_are_read() {
        let wanted = Wanted::read("search=deutsch");
        let dimension = "visit:country_name";
        assert_eq!(
            wanted.filters(Lang::German, dimension),
            [json!(["is", dimension, ["Germany"]])]
        );
        let as_it_is = json!(["contains", dimension, ["deutsch"], {"case_sensitive": false}]);
        assert_eq!(wanted.filters(Lang::English, dimension), [as_it_is]);
        let dimension = "visit:language";
        assert_eq!(wanted.filters(Lang::German, dimension), [json!(["is", dimension, ["de"]])]);
    }

    #[test]
    fn a_page_of_a_list_is_a_number_from_1() {
        for (query, page) in [("", 1), ("page=3", 3), ("page=0", 1), ("page=-2", 1), ("page=x", 1)]
        {
            assert_eq!(Wanted::read(query).page, page, "{query}");
        }
    }
}
